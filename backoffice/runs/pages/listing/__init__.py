"""What stands above the rows of every list: its filters, which of them are active, and named ones a click away."""
