"""People: members, their accounts, tags, sources, consent."""
