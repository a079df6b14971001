"""The record: what happened, one append-only row each."""
