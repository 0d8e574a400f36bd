"""Grids of angles, masses and windows, which several sections give."""
