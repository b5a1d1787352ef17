"""curves: say what lives here."""
