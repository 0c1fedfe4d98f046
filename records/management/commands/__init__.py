"""What stands after `manage.py` for the shipped records."""
