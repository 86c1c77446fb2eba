"""Write results out: lists of ids, and the data set without the suspected rows."""
