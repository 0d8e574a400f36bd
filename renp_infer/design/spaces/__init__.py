"""What may be chosen, what it costs, what is allowed."""
