"""The decomposition of footage into retimable layers, one per person."""
