"""Measurements of whole decompositions, on scenes where the truth is known and on real clips."""
