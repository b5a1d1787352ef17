"""plots: say what lives here."""
