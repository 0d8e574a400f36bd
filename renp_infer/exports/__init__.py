"""A run in the formats of others: tables, LaTeX, GetDist chains, HEPData, RO-Crate."""
