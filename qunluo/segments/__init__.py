"""Segments: one expression says who, in words, in SQL over members, in Ibis over columns."""
