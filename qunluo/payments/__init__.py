"""Taking money and giving it back: one folder for each provider, one door for what they tell."""
