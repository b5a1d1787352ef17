"""Joint distributions with exact log density ratios: what the families of traps are built from."""
