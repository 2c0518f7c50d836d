"""Questions that people ask of one project: where a value comes from, what differs, what is well."""
