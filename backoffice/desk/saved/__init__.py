"""Views of lists that a person saves: a filter under a name, for them alone."""
