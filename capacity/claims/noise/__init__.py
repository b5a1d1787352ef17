"""Claims on noise and how many bits pass: in units, on inputs, and in answers."""
