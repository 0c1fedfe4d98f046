"""What a message says: our headers, its limits, the worker's request of it, and a call that ended without one."""
