"""JSON for programs: everything the console does, under scoped tokens."""
