"""Operators' pages: the community in Wagtail's shell, and reports of exports."""
