"""Blocks as one HTML file: no script, no request, the same bytes for the same document."""
