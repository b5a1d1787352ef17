"""Are two sides independent?  p-values by permutation of any data, by shifts of series, and over many pairs at once."""
