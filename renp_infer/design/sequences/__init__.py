"""One measurement after another, each chosen from what is known by then."""
