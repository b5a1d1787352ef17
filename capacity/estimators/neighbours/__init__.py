"""neighbours: say what lives here."""
