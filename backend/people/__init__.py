"""Finding the people of a shot: one mask sequence per person, from the plate alone or from a few rough masks."""
