"""The state as one value that is compared and swapped, on whatever engine can do that."""
