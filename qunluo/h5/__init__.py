"""Members' pages, for a phone."""
