"""defendctl.yaml and what it names: environments, files, policies."""
