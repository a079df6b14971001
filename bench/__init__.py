"""Measures Qunluo beside other people's tools: `make bench`, `python -m bench --help`."""
