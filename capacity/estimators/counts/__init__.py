"""counts: say what lives here."""
