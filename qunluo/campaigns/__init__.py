"""Campaigns: a mechanic, an audience, rewards, a budget, a window."""
