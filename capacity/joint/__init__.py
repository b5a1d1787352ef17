"""joint: say what lives here."""
