"""annealed: say what lives here."""
