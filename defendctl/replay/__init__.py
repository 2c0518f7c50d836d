"""What proposed thresholds would have said of events that were scored already."""
