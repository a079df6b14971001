"""Metrics: one declaration per figure, one module per family."""
