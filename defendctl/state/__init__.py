"""What is remembered between runs: bindings, unresolved creates, tombstones."""
