"""Choosing an experiment: what a layout is worth, and which is worth most."""
