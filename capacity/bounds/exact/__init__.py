"""Exact bits where messages can be listed: of the whole code and of each unit, from samples held against the list."""
