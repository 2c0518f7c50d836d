"""What happens: reading the live workflows, and making the plan so. The protocol of apply lives here."""
