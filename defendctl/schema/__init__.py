"""What a file may hold: models, what no model says, its words, and the JSON Schema for editors."""
