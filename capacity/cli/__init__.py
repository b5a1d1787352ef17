"""The command `capacity`, one command a file."""
