"""What a pipeline is told of, and asks of, the forge that runs it. `forge.py` is the protocol."""
