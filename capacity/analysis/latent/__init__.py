"""latent: say what lives here."""
