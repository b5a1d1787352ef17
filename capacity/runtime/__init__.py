"""runtime: say what lives here."""
