"""Is everything there that the work needs? For the desk's page and for `doctor`."""
