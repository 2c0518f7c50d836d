"""The state in a local file: its journal beside it, its lock in the folder where it is."""
