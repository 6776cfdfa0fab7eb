"""Pure parts of the access audit: time, randomness and ids arrive as arguments."""
