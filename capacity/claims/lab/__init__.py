"""lab: say what lives here."""
