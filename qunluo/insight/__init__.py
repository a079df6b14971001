"""Insight: what is going on in a community, as figures that state their definition."""
