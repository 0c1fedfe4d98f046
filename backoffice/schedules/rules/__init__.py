"""What may be said in a schedule: when (`timing`), what (`permitted`), which records (`selection`), all (`verify`)."""
