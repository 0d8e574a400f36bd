"""From parameters, target and layout to rates and magnetization."""
