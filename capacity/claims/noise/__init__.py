"""noise: say what lives here."""
