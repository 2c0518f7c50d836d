"""defendctl keeps DeepRails Defend workflows in git."""

__version__ = "0.1.0"
