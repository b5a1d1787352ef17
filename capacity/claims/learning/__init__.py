"""Claims on training: noise that helps to learn, generalisation, little data, memory."""
