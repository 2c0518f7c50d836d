"""What scored events prove of a threshold, and what they do not."""
