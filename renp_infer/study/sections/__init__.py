"""The sections of a study file: keys, checks and defaults."""
