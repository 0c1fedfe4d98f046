"""A run over one record, started on its page, and perhaps followed there."""
