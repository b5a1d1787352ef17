"""files: say what lives here."""
