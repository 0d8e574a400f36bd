"""The table of inferred parameters, and a row more: from prior to report."""

import json
import warnings
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import renp_infer as renp
from renp_infer.errors import DomainError
from renp_infer.explorer.curves import curve_of
from renp_infer.inference.likelihood import Likelihood
from renp_infer.inference.parameters import PARAMETERS
from renp_infer.inference.priors.marginals import Normal
from renp_infer.inference.priors.prior import truth_values
from renp_infer.inference.profiles.fisher import expand, sigma
from renp_infer.inference.settings import InferenceSettings
from renp_infer.measurement.data import Data
from renp_infer.study.hypotheses import hypothesis_of, own_hypothesis
from renp_infer.study.observed import observation
from renp_infer.study.study import Study
from renp_infer.verbs.forecast.bench import Bench
from renp_infer.verbs.forecast.cells import TruthCell
from renp_infer.verbs.forecast.steps import steps
from renp_infer.verbs.infer.page import COLUMNS, parameter_rows
from renp_infer.verbs.optimize.gains import NO_SYSTEMATICS
from renp_infer.verbs.table import load_run
from tests.toys.nuisance import tilt_shape, tilted, with_tilt
from tests.toys.settings import inference_with

STUDY: dict[str, Any] = {
    "schema": 1,
    "name": "tilted",
    "layout": {"theta_s_deg": np.linspace(143.2, 145.6, 11).tolist()},
    "lasers": {"chi_squared": 1e-3},
    "detector": {"reference_snr": 100.0},
    "inference": {
        "sampler": "independence",
        "draws": 400,
        "tune": 200,
        "chains": 2,
        "phases": "fixed",
        "oscillation_errors": False,
        "theta_e_offset_sd_deg": 0.0,
    },
    "forecast": {"m1_meV": [50.0], "datasets": 2},
}


def test_the_rows_agree_with_the_settings() -> None:
    known = {f.name for f in fields(InferenceSettings)}
    assert {row.setting for row in PARAMETERS.rows} <= known
    assert len(set(PARAMETERS.names)) == len(PARAMETERS.rows)
    for row in PARAMETERS.rows:
        assert bool(row.slot) == (row.kind not in ("amplitude", "offset"))
        assert bool(row.systematic) == (row.kind != "mass")
        assert row.shape is None or row.kind == "offset"
        assert row.name.endswith(f"_{row.unit}") or row.unit in ("", "eV²")


def test_every_systematic_that_is_known_leaves_the_mass_alone() -> None:
    settings = inference_with(leakage_sd=0.1)
    known = replace(settings, **PARAMETERS.known(*PARAMETERS.systematics))
    assert (known.baseline_sd, known.leakage_sd, known.phases) == (0.0, 0.0, "fixed")
    assert NO_SYSTEMATICS["inference.oscillation_errors"] is False
    assert sum(map(len, PARAMETERS.systematics.values())) == len(PARAMETERS.rows) - 1


def test_texts_have_symbol_and_unit() -> None:
    assert PARAMETERS.text("m1_meV") == "m₁ [meV]"
    assert PARAMETERS.text("leakage") == "leakage"
    assert PARAMETERS.text("anything") == "anything"


@pytest.fixture(scope="module")
def toy() -> Iterator[Study]:
    with tilted():
        yield with_tilt(renp.load_study(STUDY))


def likelihood_of(study: Study) -> Likelihood:
    model = hypothesis_of(study, own_hypothesis(study), peak_nG=1.0)
    return model.likelihood(Data.of(observation(study)))


class TestAToyByOneRow:
    @pytest.mark.slow
    def test_its_physics(self, toy: Study) -> None:
        shape = tilt_shape(toy.experiment, toy.parameters, 1e-3)
        assert np.diff(shape, 2) == pytest.approx(0.0, abs=1e-12 * shape[-1])
        signal = renp.evaluate(STUDY, quiet=True)["signal_nG"].values
        assert shape[-1] == pytest.approx(np.max(np.abs(signal)), rel=1e-3) == -shape[0]

    def test_prior_and_likelihood(self, toy: Study) -> None:
        likelihood = likelihood_of(toy)
        prior = likelihood.prior
        place = prior.names.index("tilt")
        assert prior.names[place - 1 : place + 2] == ("baseline_nG", "tilt", "refractive_index")
        assert prior.marginals["tilt"] == Normal(0.0, 0.3)
        vector = prior.sample(np.random.default_rng(1), 1)[0]
        moved = vector.copy()
        moved[place] += 0.5
        shape = tilt_shape(toy.experiment, toy.parameters, 1e-3)
        change = likelihood.mean(moved) - likelihood.mean(vector)
        assert change == pytest.approx(0.5 * shape, abs=1e-12 * shape[-1])
        assert likelihood.linearise(vector)[1][:, place] == pytest.approx(shape, rel=1e-12)
        with pytest.raises(DomainError, match="shape of tilt"):
            Likelihood(prior, likelihood.response, likelihood.data)
        assert truth_values(toy.parameters, 1.45)["tilt"] == 0.0

    @pytest.mark.slow
    def test_infer_and_report(self, toy: Study, tmp_path: Path) -> None:
        """The Gaussian width of the tilt, all else linear, is that of its draws."""
        tree = renp.infer(toy, out=tmp_path / "run", quiet=True)
        row = json.loads(tree.attrs["renp_summary"])["parameters"]["tilt"]
        likelihood = likelihood_of(toy)
        values = truth_values(toy.parameters, toy.experiment.target.refractive_index)
        centre = np.array([values[name] for name in likelihood.prior.names])
        _, jacobian = likelihood.linearise(centre)
        white = np.linalg.solve(likelihood.whitening.cholesky, jacobian)
        spreads = [getattr(m, "sd", np.inf) for m in likelihood.prior.marginals.values()]
        information = white.T @ white + np.diag(np.array(spreads) ** -2)
        place = likelihood.prior.names.index("tilt")
        expected = np.sqrt(np.linalg.inv(information)[place, place])
        assert expected < 0.1 * 0.3  # the data say far more than the prior
        # 800 draws of a tenth: 5 % of the width and 4 sigma, and what is not linear
        assert row["sd"] == pytest.approx(expected, rel=0.3)
        assert abs(row["mean"]) < 5.0 * expected
        shown = {found[0]: found for found in parameter_rows(load_run(tmp_path / "run"))}
        place = [column.title for column in COLUMNS].index("prior sd")
        assert float(shown["t"][place]) == pytest.approx(0.3, rel=0.2)
        renp.evaluate(toy, out=tmp_path / "run", quiet=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", renp.DiagnosticWarning)  # 800 draws are few
            page = renp.write_report(renp.open_run(tmp_path / "run"), tmp_path / "report.html")
        assert '<th scope="row">t</th>' in page.read_text(encoding="utf-8")

    def test_forecast(self, toy: Study) -> None:
        bench = Bench(toy)
        model = bench.hypothesis("normal", "dirac")
        cell = TruthCell(bench, model, model.at(50.0))
        full = expand(cell.own, cell.vector)
        assert "tilt" in full.names
        assert sigma(full, bench.noise, bench.noise.exposure_s) > sigma(
            full.without(["tilt"]), bench.noise, bench.noise.exposure_s
        )
        rival = cell.alternative("nature").likelihood
        assert np.array_equal(rival.shapes["tilt"], cell.own.shapes["tilt"])
        kept = tuple(name for name in PARAMETERS.systematics if name != "baseline")
        few = Bench(replace(toy, forecast=replace(bench.settings, systematics=kept)))
        assert "tilt" not in few.hypothesis("normal", "dirac").prior.names
        impacts = dict(zip(bench.settings.systematics, steps(bench).impact_meV, strict=True))
        assert impacts["baseline"] > 0.0

    @pytest.mark.slow
    def test_forecast_as_a_verb(self, toy: Study) -> None:
        """The error of m1 where the tilt is free, and where it is known."""
        few = {"orderings": ["normal"], "natures": ["dirac"], "methods": ["fisher"]}
        study = renp.load_study(
            STUDY | {"forecast": {"m1_meV": [50.0], "corrections": False} | few}
        )
        free, known = (
            renp.forecast(with_tilt(study, sd), quiet=True)["fisher"]["sigma_m1_meV"].values.item()
            for sd in (0.3, 0.0)
        )
        assert free > 1.01 * known > 0.0

    def test_explorer(self, toy: Study) -> None:
        found = curve_of(toy, toy.settings, "").mass_error
        assert "tilt" in found.free
        assert PARAMETERS.label("tilt") == ("t", "")
