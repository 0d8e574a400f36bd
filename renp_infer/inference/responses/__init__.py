"""The smoothed field as a function of the fit's parameters, as exact as the data need."""
