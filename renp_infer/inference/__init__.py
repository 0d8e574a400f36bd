"""From data to a posterior: priors, likelihood, samplers and their diagnostics."""
