"""All ladders of an ion's Stark levels: which are allowed, and what each would tell."""
