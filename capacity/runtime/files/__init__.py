"""What is kept on disk, whole or not at all: results by name, states of training, and a user's own arrays."""
