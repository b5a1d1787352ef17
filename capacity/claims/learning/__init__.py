"""learning: say what lives here."""
