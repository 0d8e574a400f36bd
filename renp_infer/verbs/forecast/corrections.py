"""What each switch of the published preset is worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from renp_infer.inference.exposure import ByExposure
from renp_infer.inference.fisher import expand
from renp_infer.inference.response import Response
from renp_infer.measurement.normalise import coherence
from renp_infer.physics.constants import EV_TO_MILLI_EV, MILLI_EV_TO_EV
from renp_infer.physics.matrix_elements import missing_printed
from renp_infer.records import PRESETS
from renp_infer.verbs.forecast.bench import Bench, noise_of
from renp_infer.verbs.forecast.cells import reached
from renp_infer.verbs.forecast.parts import variants
from renp_infer.verbs.forecast.quantities import Correction


def correction(bench: Bench, variant: str) -> Correction[float]:
    """Headline figures with some switches of the published preset corrected.

    The noise is absolute: scaled noise would hide what most switches change. NaN
    where the target prints no number that a switch needs.
    """
    switches = replace(PRESETS["published"], **variants()[variant])
    if missing_printed(bench.experiment.target, switches):
        return Correction(*[np.nan] * 5)
    detector = replace(bench.experiment.detector, reference_snr=0.0)
    experiment = replace(bench.experiment, switches=switches, detector=detector)
    own = bench.study.parameters
    chi2 = coherence(experiment)
    noise = noise_of(experiment, own, chi2)
    model = bench.hypothesis(own.ordering, own.nature)
    response = Response(experiment, model.parameters, chi2, MILLI_EV_TO_EV * bench.m1_max_meV)
    model = replace(model, response=response)
    field = model.field(own)
    peak = float(np.max(np.abs(field)))
    covariance = noise.covariance(noise.exposure_s)
    likelihood = bench.likelihood(model, bench.data(field), model, peak)
    expanded = ByExposure(expand(likelihood, model.vector(own)), noise)

    def significance(exposure_s: float) -> float:
        return EV_TO_MILLI_EV * own.m1_eV / expanded.sigma(exposure_s)

    return Correction(
        peak_nG=peak,
        sigma_nG=float(np.sqrt(covariance[0, 0])),
        sigma_m1_meV=expanded.sigma(noise.exposure_s),
        exposure_3sigma_s=reached(significance, 3.0, noise),
        exposure_5sigma_s=reached(significance, 5.0, noise),
    )
