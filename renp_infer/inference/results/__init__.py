"""What is said of a posterior, in records of which documents are made."""
