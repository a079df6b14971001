"""A community, who works for it, and what each may do."""
