"""What keys of a study mean: for the terminal, editors, new studies and the page."""
