"""Results as Markdown, for comments and summaries."""
