"""The built-in web room: the channel that needs no platform."""
