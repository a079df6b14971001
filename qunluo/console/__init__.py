"""The console: so far one page, where files go in and reports come out and are kept."""

from qunluo.console.serving import serve

__all__ = ["serve"]
