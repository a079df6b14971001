"""Commands: thin words around the rooms below."""

from qunluo.cli.commands import main

__all__ = ["main"]
