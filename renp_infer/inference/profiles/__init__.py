"""Minima of chi-squared and what follows: profile likelihood, Fisher information, limits."""
