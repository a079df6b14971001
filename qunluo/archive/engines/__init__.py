"""Engines: what runs a plan. One module each; nothing outside knows which."""
