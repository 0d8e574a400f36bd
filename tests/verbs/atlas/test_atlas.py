"""The atlas as a verb: the same table however it is divided, rows as studies, refusals."""

import csv
import io
import json
import random
import subprocess
import sys
import time

import numpy as np
import pytest

import renp_infer as renp
from renp_infer.app.cli import execute
from renp_infer.engine.tasks import Context
from renp_infer.errors import ConfigError
from renp_infer.measurement.normalise import coherence, noise_covariance
from renp_infer.physics.atlas.scheme import Ladder, ladder_channels, ladder_scheme
from renp_infer.physics.atlas.screening import KEYS
from renp_infer.physics.ions.build import scheme_text
from renp_infer.physics.targets.scheme import read_scheme
from renp_infer.physics.targets.target import channels_of, target_of
from renp_infer.study.atlas_study import atlas_study
from renp_infer.study.load import load_study
from renp_infer.verbs.atlas.merge import errors_per_value, ranks_among
from renp_infer.verbs.atlas.result import AtlasResult, records
from renp_infer.verbs.atlas.tables import csv_text
from renp_infer.verbs.atlas.verb import ATLAS

SMALL = {"atlas.ions": ["Yb", "Tm"], "atlas.keep": 40, "atlas.appraise": 0}
ROW = "Tm-45-21-26"


def made(folder, changes):
    """The tree of an atlas, its tasks done here one after the other."""
    study = load_study("atlas", SMALL | changes)
    series, paths = ATLAS.series(study), []
    for index in range(series.count):
        path = folder / f"{index}.nc"
        ATLAS.perform(study, series.task(index), Context()).to_netcdf(path, engine="h5netcdf")
        paths.append(str(path))
    ATLAS.merge(study, iter(paths), folder / "atlas.nc")
    from renp_infer.engine.result import load_tree

    return AtlasResult(load_tree(folder / "atlas.nc"))


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    return made(tmp_path_factory.mktemp("one"), {})


@pytest.mark.slow
def test_tables_do_not_depend_on_how_ions_are_divided(atlas, tmp_path):
    other = made(tmp_path, {"atlas.tasks_per_ion": 3, "atlas.cuts": False})
    assert other.tree.attrs["ladders"] == atlas.tree.attrs["ladders"] > 10_000
    for family, question in KEYS:
        one, two = atlas.table(family, question), other.table(family, question)
        assert one.identical(two), (family, question)
    np.testing.assert_array_equal(
        atlas.paper["rank_ceiling_mass"], other.paper["rank_ceiling_mass"]
    )


def test_rankings_are_sorted_and_the_paper_is_among_all(atlas):
    for family, question in KEYS:
        rows = atlas.table(family, question)
        assert rows["ladder"].values.tolist() == list(dict.fromkeys(rows["ladder"].values.tolist()))
        assert np.all(np.diff(rows["standard_errors"]) <= 0.0) and rows["rank"].size == 40
        paper = float(atlas.paper[f"standard_errors_{family}_{question}"].values[0])
        rank = float(atlas.paper[f"rank_{family}_{question}"].values[0])
        larger = int(np.sum(rows["standard_errors"].values > paper))
        assert rank == 1 + larger if larger < 40 else rank > 40
    assert str(atlas.paper["ladder"].values[0]).startswith("Er-")


def test_a_rank_moves_with_its_own_value_alone():
    value = np.array([8.0, 4.0, 2.0, 1.0])
    np.testing.assert_array_equal(ranks_among(value, value), [1, 2, 3, 4])
    np.testing.assert_array_equal(ranks_among(3.0 * value, value), [1, 1, 2, 3])
    np.testing.assert_array_equal(ranks_among(value / 3.0, value), [2, 3, 5, 5])


def test_standard_errors_are_those_of_the_field_over_the_noise():
    """The same target, one angle: field by `evaluate` at that momentum over its noise."""
    study = load_study("atlas", {"layout.theta_s_deg": [100.0], "detector.resolution_deg": 0.0,
                                 "layout.length_cm": 20.0, "layout.radius_cm": 10.0})  # fmt: skip
    found = renp.evaluate(study, quiet=True)
    own = study.experiment.target.transition
    from renp_infer.physics.atlas.ladder_merit import pair_field

    w_l, w_t = found["w_eV"].values[:, 0]
    size = np.hypot(w_l, w_t)
    along = pair_field(
        np.array(size), np.array(study.experiment.target.epsilon_ep), study.parameters
    )
    value = own.weight * abs(own.handedness * own.delta_mu) * float(along) * abs(w_l) / size
    ratio = abs(float(found["signal_nG"][0] / found["sigma_nG"][0]))
    assert value * errors_per_value(study) == pytest.approx(ratio, rel=2e-3, abs=0)


def test_a_row_is_a_scheme_with_its_numbers(atlas, tmp_path):
    row = next(r for r in records(atlas.table("ceiling", "mass")) if r["ladder"] == ROW)
    file = tmp_path / "row.toml"
    file.write_text(scheme_text(ladder_scheme(Ladder.read(ROW))))
    scheme = read_scheme(file)
    target, channel = target_of(scheme), channels_of(scheme)[0]
    assert target.epsilon_ep == pytest.approx(row["epsilon_eV"], abs=2e-7)
    assert target.transition.handedness == pytest.approx(row["handedness"], rel=1e-6)
    assert target.transition.delta_mu == pytest.approx(row["delta_mu"], rel=1e-12)
    assert target.transition.weight == row["weight"]
    assert channel.spin_squared == pytest.approx(row["spin"] ** 2, rel=1e-12)
    assert scheme.md["ep"] == pytest.approx(row["md_ep_per_s"], rel=1e-4)
    assert scheme.photons["omega_1"] == pytest.approx(row["energy_q_eV"], abs=2e-7)


def test_a_row_is_a_study_whose_momenta_run_along_c_to_the_threshold(tmp_path):
    found = atlas_study(ROW)
    for name, text in found.files.items():
        (tmp_path / name).write_text(text)
    study = load_study(tmp_path / f"{found.name}.toml")
    result = renp.evaluate(study, quiet=True)
    w_l, w_t = result["w_eV"].values
    epsilon = study.experiment.target.epsilon_ep
    sizes = np.hypot(w_l, w_t) / epsilon
    assert sizes[0] == pytest.approx(0.5, abs=1e-4) and sizes[-1] == pytest.approx(1.0, abs=1e-4)
    along = w_l * np.cos(study.experiment.layout.c_axis) + w_t * np.sin(
        study.experiment.layout.c_axis
    )
    assert np.min(along / np.hypot(w_l, w_t)) > 0.9
    assert np.max(np.abs(result["signal_nG"] / result["sigma_nG"])) > 1000.0


@pytest.mark.parametrize("row", ["Nd-51-29-37", "Er-110-39-77", "Nd-155-61-102"])
def test_rows_that_are_out_of_the_common_are_studies(row, tmp_path):
    """A level e that outlives the cycle; photons that form no triangle; J that is mixed."""
    found = atlas_study(row)
    for name, text in found.files.items():
        (tmp_path / name).write_text(text)
    study = load_study(tmp_path / f"{found.name}.toml")
    assert study.experiment.detector.reference_snr > 0.0
    assert coherence(study.experiment) == 0.25
    covariance = noise_covariance(study.experiment, study.parameters, 0.25)
    assert np.all(np.diag(covariance) > 0.0)


@pytest.mark.parametrize("row", ["Pr-43-34-35", "Tm-29-21-25", "Tm-34-17-18"])
def test_channels_of_rows_are_within_their_units(row):
    for channel in ladder_channels(Ladder.read(row)):
        assert 1e-9 < channel.spin_squared < 4.0
        trace = sum(channel.quadrupole[k] for k in (0, 3, 5))
        assert abs(trace) < 1e-12


@pytest.mark.parametrize(
    ("row", "allowed"),
    [
        ("Er", "ION-E-P-Q"),
        ("Gd-4-2-3", "ION-E-P-Q"),
        ("Er-5-7-6", "1 < p < q < e"),
        ("Tm-9999-7-16", "e up to 69"),
    ],
)
def test_a_row_that_is_none_is_refused(row, allowed):
    with pytest.raises(ConfigError) as caught:
        atlas_study(row, key="--study")
    assert caught.value.path == "--study" and allowed in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"atlas.photon_min_eV": 5.0}, "atlas.photon_min_eV"),
        ({"atlas.ions": ["Er", "Gd"]}, "atlas.ions"),
        ({"atlas.keep": 0}, "atlas.keep"),
        ({"physics.preset": "corrected", "lasers.chi_squared": "bloch"}, "physics.source"),
        ({"target.scheme": "er-ylf"}, "target.scheme"),
        ({"target.scheme": "ho-ylf"}, "target.scheme"),
        ({"neutrino.m1_meV": 0.0}, "neutrino.m1_meV"),
    ],
)
def test_studies_that_mean_nothing_are_refused(changes, path):
    with pytest.raises(ConfigError) as caught:
        load_study("atlas", changes)
    assert caught.value.path == path


@pytest.mark.parametrize("words", [["--top", "0"], ["--ion", "Xx"], ["--csv", "none/here.csv"]])
def test_options_that_mean_nothing_are_refused(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert execute(["atlas", *words]) == 2
    assert capsys.readouterr().err.startswith(f"renp: {words[0]}: got ")
    assert list(tmp_path.iterdir()) == []


def test_csv_has_every_row(atlas):
    rows = list(csv.DictReader(io.StringIO(csv_text(atlas, ("Tm",)))))
    assert len(rows) == 40 * len(KEYS) and {row["ion"] for row in rows} == {"Tm"}


def test_levels_of_an_ion_are_shown(capsys):
    assert execute(["atlas", "show", "Yb", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ion"], found["observed"], len(found["levels"])) == ("Yb", 7, 7)
    assert found["rms_per_cm"] < 60.0


@pytest.mark.slow
def test_workers_give_the_same_file_as_one(tmp_path):
    words = ["atlas", "--quiet"]
    for key in ('atlas.ions=["Pr","Tm"]', "atlas.keep=20", "atlas.appraise=3"):
        words += ["--set", key]
    for executor in ("serial", "processes:2", "dask:local:2"):
        assert execute([*words, "--out", str(tmp_path / executor), "--executor", executor]) == 0
    one, *others = (renp.open_run(path) for path in sorted(tmp_path.iterdir(), reverse=True))
    assert set(one.atlas["ceiling/mass"]["solid"].values.tolist()) == {"yes", "guessed", ""}
    assert len(one.appraised["rows"]) >= 3 and len(others) == 2
    for other in others:
        assert one.appraised == other.appraised
        for family, question in KEYS:
            name = f"{family}/{question}"
            assert one.atlas[name].identical(other.atlas[name])


@pytest.mark.slow
def test_an_atlas_that_is_killed_goes_on_and_is_the_same(tmp_path):
    words = [sys.executable, "-m", "renp_infer", "atlas", "--quiet"]
    ions = 'atlas.ions=["Pr","Nd","Tm","Er"]'
    for key in ("atlas.keep=20", ions, "atlas.tasks_per_ion=4", "atlas.appraise=0"):
        words += ["--set", key]
    begin = time.monotonic()
    subprocess.run([*words, "--out", str(tmp_path / "whole")], check=True)
    whole, dice = time.monotonic() - begin, random.Random(3)
    for _ in range(3):
        process = subprocess.Popen([*words, "--out", str(tmp_path / "killed")])
        try:
            process.communicate(timeout=dice.uniform(0.3, 0.9) * whole)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
    subprocess.run([*words, "--out", str(tmp_path / "killed")], check=True)
    one, two = (renp.open_run(tmp_path / name).atlas for name in ("whole", "killed"))
    for family, question in KEYS:
        assert one[f"{family}/{question}"].identical(two[f"{family}/{question}"])
