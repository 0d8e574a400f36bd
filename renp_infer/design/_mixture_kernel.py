"""Numba kernel: information in one reading that is a mixture of Gaussians."""

from __future__ import annotations

import numpy as np
from numba import njit

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(16)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_FAR = 8.0
"""Components further away, in their own standard deviations, add less than 1e-14."""


@njit(cache=True, error_model="numpy")
def mixture_information(weights, labels, mean, sd):
    """Mutual information of label and reading at each angle, (n,), nat.

    ``weights``, ``labels`` are (S,); ``mean``, ``sd`` (S, n).
    """
    count, angles = mean.shape
    gain = np.zeros(angles)
    for k in range(angles):
        for s in range(count):
            for q in range(_NODES.size):
                y = mean[s, k] + sd[s, k] * _NODES[q]
                same, total = 0.0, 0.0
                label_weight = 0.0
                for r in range(count):
                    if labels[r] == labels[s]:
                        label_weight += weights[r]
                    pull = (y - mean[r, k]) / sd[r, k]
                    if abs(pull) > _FAR:
                        continue
                    density = weights[r] / sd[r, k] * np.exp(-0.5 * pull * pull)
                    total += density
                    if labels[r] == labels[s]:
                        same += density
                gain[k] += weights[s] * _WEIGHTS[q] * np.log(same / label_weight / total)
    return gain
