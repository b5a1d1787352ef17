"""Symbols against symbols: entropies from counts, with what is known of their bias, and the plug-in made of them."""
