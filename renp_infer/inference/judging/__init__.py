"""Is it right: model checks, tensions, calibration, belts."""
