"""A user's arrays and tables, of any package, as plain arrays: kinds of columns, missing values, x and y together."""
