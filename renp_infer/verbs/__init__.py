"""What a study can be asked, one folder each."""
