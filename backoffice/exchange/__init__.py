"""Import and export for the list of any model."""
