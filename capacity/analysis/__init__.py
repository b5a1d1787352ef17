"""analysis: say what lives here."""
