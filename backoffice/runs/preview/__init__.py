"""What a start would do."""
