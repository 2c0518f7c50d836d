"""One plain function for each command. They compose the parts and never print."""
