"""Operators, one file per stage of the artist's work."""
