"""The text of a manifest, changed: values put in, keys put in order, the rest as it was."""
