"""From a signal to data: angular smoothing, SQUID noise, mock observations."""
