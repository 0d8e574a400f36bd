"""An ion in its host: scheme, channels, radiative rates, refraction."""
