"""results: say what lives here."""
