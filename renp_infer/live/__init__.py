"""Beside the apparatus: readings in, the next setting out, kept on the disk."""
