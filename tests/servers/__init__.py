"""Real servers for tests, each on a port and in a folder of its own, gone at the end."""
