"""Results as JSON, of the published types."""
