"""What tune found, in each format."""
