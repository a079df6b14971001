"""Play money, for trying things out: a house that behaves like a real one and is none."""
