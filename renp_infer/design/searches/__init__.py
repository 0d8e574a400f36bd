"""The best of a space: starts, optimizers, what holds it and what matters."""
