"""The desk's first page: what is running, what failed today, what fires next, and a search."""
