"""What stands after `manage.py`: thin, each calls what the wings offer."""
