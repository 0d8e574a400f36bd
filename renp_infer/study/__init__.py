"""A TOML file to a checked study."""
