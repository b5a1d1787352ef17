"""posterior: say what lives here."""
