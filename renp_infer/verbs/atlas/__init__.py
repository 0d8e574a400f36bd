"""The atlas: all ladders of all lanthanides of a host."""
