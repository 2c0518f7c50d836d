"""What defendctl is installed as, each way tried with the real tool."""
