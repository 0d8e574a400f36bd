"""What an experiment is expected to tell before it is done."""
