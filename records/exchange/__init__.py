"""Files in and out: read within bounds, previewed, confirmed as previewed, and exported whole."""
