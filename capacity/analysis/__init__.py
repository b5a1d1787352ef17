"""Questions to a trained network: what its code holds, how sharp its weights lie, how much it can store."""
