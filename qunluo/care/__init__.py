"""Looking after people: wishes, what they need, incidents, patrols, promises, gatherings."""
