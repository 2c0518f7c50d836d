"""What a report says, from the JSON document of its result: blocks that each format dresses in its way."""
