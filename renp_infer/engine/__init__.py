"""Tasks, workers, stores: the machine that runs verbs."""
