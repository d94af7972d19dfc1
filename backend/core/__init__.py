"""Arrays in, arrays out: the arithmetic of layers, colour, camera and time."""
