"""YAML text and its places: read within bounds, changed in place. It knows no workflow."""
