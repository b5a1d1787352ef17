"""One family of tasks a file; each has `FAMILY`, its name, and `tasks()`."""
