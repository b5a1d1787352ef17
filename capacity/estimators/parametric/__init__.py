"""Laws with a closed form fitted to the pairs: normal and Student-t, as the data are or by rank."""
