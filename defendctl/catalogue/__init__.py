"""Each diagnostic explained: what it means, why it is one, and what to do."""
