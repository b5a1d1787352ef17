"""I(X;Y|W): bits that two sides share beyond what a third tells, from neighbours, from counts, by the chain rule."""
