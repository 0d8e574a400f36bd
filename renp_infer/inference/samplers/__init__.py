"""Draws and evidences: six samplers, their starts and coordinates."""
