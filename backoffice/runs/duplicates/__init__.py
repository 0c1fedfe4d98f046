"""Records that may be the same one: who is whose candidate, what people decided, and a look over all of them."""
