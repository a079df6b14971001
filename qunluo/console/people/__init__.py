"""The console's pages about people: members, their talk, and what is done about it."""
