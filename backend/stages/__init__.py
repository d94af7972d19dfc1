"""The steps of a decomposition, in the order in which they are taken."""
