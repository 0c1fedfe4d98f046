"""What the templates of a list ask: its way back."""
