"""Qunluo 群落: the operating system of a community run in chat groups."""

__version__ = "0.1.0"
