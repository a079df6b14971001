"""What a play of each mechanic looks like to a member: where it stands, and the one thing to do."""
