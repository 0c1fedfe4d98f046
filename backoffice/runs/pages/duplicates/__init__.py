"""Records that may be the same one, in the admin: a filter and a column, a panel, two records side by side."""
