"""Infer."""
