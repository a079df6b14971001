"""What comes in from a channel and what goes out to one."""
