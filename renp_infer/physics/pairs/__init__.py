"""Kinematics of the pair and the integral of its density over the crystal."""
