"""Pages of segments: the list, the form, the answer while one types."""
