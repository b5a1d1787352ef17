"""What the code of a trained model holds, from the posterior of each data point: bits, and which units share them."""
