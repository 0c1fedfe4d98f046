"""What is told of a run: outcomes in words, the bar of them, why it waits."""
