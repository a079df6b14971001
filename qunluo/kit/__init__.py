"""Kit: words, errors and time. Nothing here knows what a community is."""
