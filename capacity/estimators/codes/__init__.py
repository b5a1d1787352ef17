"""Sides of symbols, decoded: what held-out models of a label, or of a code column by column, say of the other side."""
