"""Where every member stands, from the record: lifecycle, trust, circle, value, with the why."""
