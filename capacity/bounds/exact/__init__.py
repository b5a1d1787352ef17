"""exact: say what lives here."""
