"""Expected information on m1: this package against nested Monte Carlo at equal error.

    python benchmarks/information.py [OUTER] [INNER]

Nested Monte Carlo draws truths and data, and for each the evidence with and without m1
known as a mean over INNER draws of all other parameters (Rainforth et al., ICML 2018). Its
error is V / N from N outer draws and a bias B / M from M inner ones; the cheapest way to an
error e is M = sqrt(3) B / e, N = 1.5 V / e^2, with 2 N M evaluations of the response. V is
measured from OUTER draws, B from the difference between INNER and half as many, which is a
lower limit as long as B still grows with M: then ``final`` is no. Where pyro is installed
(``renp-infer[bench]``), its estimators are a second peer, see ``pyro_peer.py``. Written to
``results/information.json``.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
from posteriors import Tables, publish
from run import Row
from scipy.special import logsumexp

from renp_infer.design.utilities.appraisal import DesignBench
from renp_infer.design.utilities.prediction import nuisances
from renp_infer.design.utilities.utility import Appraiser, Utility, UtilitySettings
from renp_infer.inference.profiles.fisher import expand, sigma
from renp_infer.measurement.data import Data
from renp_infer.measurement.normalise import coherence, noise_scale
from renp_infer.records import FloatArray, Observation
from renp_infer.study.load import load_study
from renp_infer.study.sections.optimize import OptimizeSection
from renp_infer.study.study import Study

STUDY, ERROR, SNR = "edge-layout-normalised", 0.05, (1.0, 3.0, 10.0, 30.0, 1000.0)
PYRO_SNR, CONVERGED = (1.0, 3.0), 1024
"""Where pyro's estimators are tried, and truths of the value that they should find."""


def information(outer: int = 150, inner: int = 256) -> list[Row]:
    """Expected information on m1 to 0.05 nat; s are processor seconds."""
    rows: list[Row] = []
    for snr in SNR:
        study = study_at(snr)
        found, own, bench = appraised(study)
        nested = NestedMonteCarlo(bench, np.random.default_rng(1))
        row = nested.measured(outer, inner)
        seconds, enough = row.cost(ERROR)
        ours: Row = {"S/N": snr, "nat": found.value, "error": found.error, "s": own}
        peer = {"nested nat": row.value, "its error": row.error, "bias constant": row.bias}
        rows.append(
            ours | peer | {"nested s": seconds, "ratio": seconds / own, "final": bool(enough)}
        )
    return rows


def by_pyro(ratios: tuple[float, ...] = PYRO_SNR) -> list[Row]:
    """The same by pyro's estimators; ``off by`` is from this package with 1024 truths."""
    if find_spec("pyro") is None:
        print("pyro left out: pip install renp-infer[bench]", file=sys.stderr)
        return []
    from pyro_peer import estimators

    rows: list[Row] = []
    for snr in ratios:
        study = study_at(snr)
        found, own, bench = appraised(study)
        reference = appraiser_of(study, CONVERGED)(study.experiment, ["eig_m1"])["eig_m1"]
        known: Row = {"S/N": snr, "reference": reference.value}
        known |= {"our error": found.error, "our s": own}
        nested = NestedMonteCarlo(bench, np.random.default_rng(1))
        for row in estimators(nested, reference.value, ERROR):
            rows.append(known | row | {"ratio": row["s to it"] / own})
    return rows


def study_at(snr: float) -> Study:
    """The study at a signal-to-noise ratio."""
    return load_study(STUDY, (f"detector.reference_snr={snr}",))


def appraised(study: Study) -> tuple[Utility, float, DesignBench]:
    """Our value, processor seconds to the error wanted, and what was appraised."""
    appraiser = appraiser_of(study)
    appraiser(study.experiment, ["eig_m1"])  # compiles
    found, spent = clocked(lambda: appraiser(study.experiment, ["eig_m1"])["eig_m1"])
    own = spent * max((found.error / ERROR) ** 2, 1.0)
    return found, own, appraiser.bench(study.experiment)


def clocked(function: Callable[[], Utility]) -> tuple[Utility, float]:
    """Value, and processor seconds."""
    begin = time.process_time()
    value = function()
    return value, time.process_time() - begin


def main(outer: int = 150, inner: int = 256) -> None:
    """Print the table, and what linearising costs; ``final`` says whether B was seen to be."""
    tables: Tables = {"information": (information.__doc__ or "", information(outer, inner))}
    if rows := by_pyro():
        tables["pyro"] = (by_pyro.__doc__ or "", rows)
    publish("information", tables)
    study = load_study(STUDY)
    appraiser = appraiser_of(study)
    print_nonlinearity(appraiser, appraiser.bench(study.experiment))


def appraiser_of(study: Study, truths: int = 64) -> Appraiser:
    """Normal ordering, Dirac: every nuisance free, m1 unknown."""
    settings = UtilitySettings(
        inference=study.priors,
        orderings=("normal",),
        natures=("dirac",),
        odds={},
        truth="prior",
        truths=truths,
        masses=OptimizeSection().masses,
    )
    scale = noise_scale(study.experiment, study.parameters, coherence(study.experiment))
    rng = np.random.default_rng(0)
    return Appraiser(settings, study.parameters, study.oscillation, rng, noise_scale=scale)


class Measured:
    """What a nested estimate showed: value, its error, variance, bias constant, seconds."""

    def __init__(self, terms: FloatArray, halves: FloatArray, inner: int, seconds: float) -> None:
        self.value, self.variance = float(terms.mean()), float(terms.var())
        self.error = float(np.sqrt(self.variance / terms.size))
        difference = halves - terms
        self.bias = abs(inner * float(difference.mean()))
        self.inner, self.seconds = inner, seconds

    def cost(self, error: float) -> tuple[float, bool]:
        """Seconds to an error with the best allocation; and whether B was seen to be final."""
        draws = max(np.sqrt(3.0) * self.bias / error, 1.0)
        return 2.0 * draws * 1.5 * self.variance / error**2 * self.seconds, draws < self.inner


class NestedMonteCarlo:
    """Plain nested Monte Carlo with the full response."""

    def __init__(self, bench: DesignBench, rng: np.random.Generator) -> None:
        self.rival, self.noise, self.rng = bench.rivals[0], bench.noise, rng
        self.largest = float(bench.masses_meV[-1])
        self.nuisances = len(nuisances(self.rival.prior))

    def drawn(self, masses: FloatArray) -> FloatArray:
        """Fields at masses and random nuisances."""
        return self.fields(masses, self.rng.standard_normal((masses.size, self.nuisances)))

    def fields(self, masses: FloatArray, shifts: FloatArray) -> FloatArray:
        """Fields (k, n) in units of the noise, at masses and nuisances."""
        phases = np.zeros(2)
        rows = [self.rival.field(m, phases, z) for m, z in zip(masses, shifts, strict=True)]
        return self.noise.whiten(np.array(rows).T, self.noise.exposure_s).T

    def measured(self, outer: int, inner: int) -> Measured:
        """Estimate from some outer draws, with the inner ones and with half of them."""
        terms, halves, begin = np.empty(outer), np.empty(outer), time.process_time()
        for k in range(outer):
            truth = self.rng.uniform(0.0, self.largest, 1)
            data = self.drawn(truth)[0]
            data = data + self.rng.standard_normal(data.size)
            known = _logs(data, self.drawn(np.repeat(truth, inner)))
            other = _logs(data, self.drawn(self.rng.uniform(0.0, self.largest, inner)))
            terms[k] = logsumexp(known) - logsumexp(other)
            parts = (slice(0, inner // 2), slice(inner // 2, None))
            halves[k] = np.mean([logsumexp(known[p]) - logsumexp(other[p]) for p in parts])
        seconds = (time.process_time() - begin) / (2 * outer * inner)
        return Measured(terms, halves, inner, seconds)


def _logs(data: FloatArray, fields: FloatArray) -> FloatArray:
    return -0.5 * np.sum((data - fields) ** 2, axis=1)


def print_nonlinearity(appraiser: Appraiser, bench: DesignBench) -> None:
    """Compare with Gaussian posteriors around the exact truths, by the Fisher matrix."""
    truths, rival = appraiser.truths, bench.rivals[0]
    shifts, _ = truths.drawn(len(nuisances(rival.prior)), rival.model.response.theta_s.size)
    learnt = bench.learnt(truths)
    covariance = bench.noise.covariance(bench.noise.exposure_s)
    theta_s, logs = rival.model.response.theta_s, []
    for m1, shift, row in zip(truths.m1_meV, shifts, learnt, strict=True):
        field = rival.field(float(m1), np.zeros(2), shift)
        peak = float(np.max(np.abs(field)))
        data = Observation(theta_s, field, covariance, True)
        likelihood = replace(rival.model, peak=peak).likelihood(Data.of(data))
        values = rival.values(float(m1), np.zeros(2), shift)
        vector = np.array([values[name] for name in likelihood.prior.names])
        error = sigma(expand(likelihood, vector), bench.noise, bench.noise.exposure_s)
        if error < 2.0:
            gaussian = np.log(bench.masses_meV[-1] / error) - 0.5 * np.log(2.0 * np.pi * np.e)
            logs.append((gaussian, row.mass))
    pairs = np.array(logs)
    gap = pairs[:, 1] - pairs[:, 0]
    bound: Utility = appraiser.lower_bound(bench)
    print(
        f"exact truths with an error of m1 below 2 meV ({len(pairs)}): information "
        f"{pairs[:, 1].mean():.3f} nat, of Gaussians by the exact Fisher matrix "
        f"{pairs[:, 0].mean():.3f}; difference {gap.mean():.3f} +- "
        f"{gap.std() / np.sqrt(len(gap)):.3f}; lower bound {bound.value:.2f} +- {bound.error:.2f}"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
