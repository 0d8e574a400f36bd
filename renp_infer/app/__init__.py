"""Command line and Python interface."""
