"""What is asked of the database around a transaction: its clock, a bound on its time, and again after a deadlock."""
