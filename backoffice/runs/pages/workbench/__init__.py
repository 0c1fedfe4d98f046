"""A record's page as a workbench: what is said of each field beside it, parts in tabs, the way to the next one."""
