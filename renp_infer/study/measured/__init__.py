"""Data files: tables read, checked and written."""
