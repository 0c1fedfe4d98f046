"""What is asked of the database around a transaction: its clock, a time limit, again after a deadlock, the commit."""
