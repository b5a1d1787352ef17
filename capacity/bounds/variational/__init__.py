"""variational: say what lives here."""
