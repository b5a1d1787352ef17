"""The parts of the automatic choice: what is done to the data first, what models show, and how figures are weighed."""
