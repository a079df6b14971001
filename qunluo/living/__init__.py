"""A sample community that lives: simulated members, labelled as such, on a fast clock."""
