"""Functions from a result to a string. No I/O, no decisions: exit codes are decided elsewhere."""
