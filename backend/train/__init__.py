"""How the networks learn one shot."""
