"""From a study file to results and a report: the command line and what it runs."""
