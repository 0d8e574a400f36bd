"""What is known before the data of every parameter, and the shapes of systematics."""
