"""Looking after people: wishes, incidents, patrols, promises, testimonies, gatherings."""
