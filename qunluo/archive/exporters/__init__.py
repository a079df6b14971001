"""Exporters: one module per format, each with a streaming `write(messages, events, to)`."""
