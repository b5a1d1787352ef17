"""The command `capacity`, one command a file."""

from capacity.runtime.deprecated import old_names

__getattr__ = old_names(__name__)
