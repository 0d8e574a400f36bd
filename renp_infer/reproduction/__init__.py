"""The paper's printed numbers held against a recomputation."""
