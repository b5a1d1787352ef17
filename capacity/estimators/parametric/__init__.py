"""parametric: say what lives here."""
