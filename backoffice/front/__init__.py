"""The web server's side: slow clients, large bodies, and gunicorn's configuration."""
