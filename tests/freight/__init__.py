"""A record type with files: every kind of column, names of other records, rules of a row and of the database."""
