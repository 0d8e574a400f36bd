"""TOML files as tables: read, laid over each other and changed."""
