"""How dates, times and numbers look on every page, by language (FORMAT_MODULE_PATH)."""
