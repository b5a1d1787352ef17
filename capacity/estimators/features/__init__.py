"""features: say what lives here."""
