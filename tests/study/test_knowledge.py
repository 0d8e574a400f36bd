"""Constraints of a study: what is read, what it becomes, what is refused."""

import numpy as np
import pytest

from renp_infer.app.reweighting import _terms
from renp_infer.errors import ConfigError
from renp_infer.inference.knowledge.constraints import (
    ChainConstraint,
    GaussianConstraint,
    LimitConstraint,
    TableConstraint,
)
from renp_infer.resources import share_path
from renp_infer.study.knowledge import read_constraints
from renp_infer.study.load import load_study
from renp_infer.study.sources import data_digests
from renp_infer.verbs.inputs import posterior_inputs

STUDY = {
    "schema": 1,
    "physics": {"preset": "corrected"},
    "layout": {"theta_s_deg": [140.0, 144.0, 148.0]},
    "lasers": {"chi_squared": 1e-3},
    "detector": {"reference_snr": 30.0},
    "inference": {"m1_max_meV": 200.0},
}
REACTOR = {"name": "r", "quantities": ["sin2_13"], "values": [0.022], "errors": [5e-4]}
LIMIT = {"name": "l", "quantity": "sum_meV", "upper": 64.2, "level": 0.95}
SHAPE = {"shape": "one-sided-normal"}


def study(**constraints):
    return load_study(STUDY | {"constraints": constraints})


def test_shipped_files_are_what_their_limits_say():
    """Each shipped name, by its own numbers; their sources are given."""
    files = sorted((share_path("data") / "constraints").glob("*.toml"))
    assert {file.stem for file in files} == {
        "katrin-2025",
        "desi-dr2-lcdm",
        "desi-dr2-w0wacdm",
        "kamland-zen-2025",
    }
    found = {file.stem: read_constraints(file)[0].term for file in files}
    katrin = found["katrin-2025"]
    assert katrin.quantities == ("m_beta_squared_eV2",) and katrin.values[0] == -0.14
    assert found["desi-dr2-lcdm"].sds[0] == pytest.approx(64.2 / 1.959964, rel=1e-6)
    assert (found["kamland-zen-2025"].least, found["kamland-zen-2025"].upper) == (28.0, 122.0)


def test_without_the_section_nothing_is_known_and_no_key_changes():
    plain = load_study(STUDY)
    assert plain.knowledge == () and "constraints" not in plain.resolved
    assert "constraints" not in posterior_inputs(plain)
    assert "constraints" in posterior_inputs(study(gaussian=[REACTOR]))


def test_entries_hold_under_their_ordering():
    found = study(
        use=["katrin-2025"],
        gaussian=[REACTOR | {"ordering": "inverted"}],
        limit=[LIMIT | SHAPE],
    )
    assert [term.name for term in found.known_under("normal")] == ["KATRIN 2025", "l"]
    assert [term.name for term in found.known_under("inverted")] == ["KATRIN 2025", "r", "l"]
    kinds = [type(row.term) for row in found.knowledge]
    assert kinds == [GaussianConstraint, GaussianConstraint, LimitConstraint]
    again = load_study(found.resolved)
    assert again.resolved == found.resolved
    assert "data/constraints/katrin-2025.toml" in data_digests(found)
    assert ("constraints", "KATRIN 2025; r; l") in found.rows()


def test_files_of_numbers(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    x, y = np.meshgrid(np.linspace(0.0, 100.0, 5), np.linspace(0.2, 0.4, 4))
    rows = rng.permutation(np.column_stack([x.ravel(), y.ravel(), (x + y).ravel()]))
    heads = "m1_meV,sin2_12,chi_squared"
    np.savetxt("grid.csv", rows, delimiter=",", header=heads, comments="", fmt="%.17g")
    draws = rng.normal(0.022, 1e-3, (300, 1))
    np.savetxt(
        "chain.csv", np.column_stack([draws, np.ones(300)]), delimiter=",", header="sin2_13,weight"
    )
    own = tmp_path / "own.toml"
    own.write_text(
        'source = "made"\ndate = "2026"\n[[chain]]\nname = "c"\nquantities = ["sin2_13"]\n'
        'file = "chain.csv"\n'
    )
    entry = {"name": "t", "quantities": ["m1_meV", "sin2_12"], "file": "grid.csv"}
    found = study(use=[str(own)], table=[entry])
    chain, table = (row.term for row in found.knowledge)
    assert isinstance(chain, ChainConstraint) and np.array_equal(chain.draws, draws)
    assert isinstance(table, TableConstraint) and table.chi_squared.shape == (5, 4)
    assert table.chi_squared[1, 3] == pytest.approx(25.0 + 0.4)
    assert {"own.toml", "chain.csv", "grid.csv"} <= set(data_digests(found))
    (tmp_path / "grid.csv").write_text(heads + "\n0,0.2,1\n1,0.2,2\n")
    with pytest.raises(ConfigError, match=r"constraints\.table\[0\]\.file.*2 x 1 values"):
        study(table=[entry])


def table_of_delta(folder, axis, height=lambda x: 20.0 * (1.0 - np.cos(np.deg2rad(x + 90.0)))):
    rows = np.column_stack([axis, height(axis)])
    np.savetxt(folder / "d.csv", rows, delimiter=",", header="delta_deg,chi_squared", comments="")
    entry = {"name": "t", "quantities": ["delta_deg"], "file": str(folder / "d.csv")}
    return study(table=[entry]).knowledge[0].term


def chi_squared_at(term, angle):
    return float(np.sum(np.square(term.residuals([np.float64(angle)]))))


@pytest.mark.parametrize(("first", "last"), [(-180.0, 180.0), (-180.0, 170.0), (10.0, 360.0)])
def test_a_table_of_a_phase_goes_round(tmp_path, first, last):
    """With its last row, or without; 270 degrees are -90."""
    term = table_of_delta(tmp_path, np.arange(first, last + 1.0, 10.0))
    for angle in (-90.0, 270.0, 630.0, 179.0, -181.0, 175.0):
        expected = 20.0 * (1.0 - np.cos(np.deg2rad(angle + 90.0)))
        assert chi_squared_at(term, angle) == pytest.approx(expected, abs=1e-2)


def test_a_table_whose_ends_differ_jumps_there(tmp_path):
    term = table_of_delta(tmp_path, np.arange(-180.0, 181.0, 10.0), lambda x: ((x + 90) / 30) ** 2)
    found = [chi_squared_at(term, angle) for angle in (270.0, 300.0, 181.0, 179.0)]
    assert found == pytest.approx([0.0, 1.0, (89.0 / 30.0) ** 2, (269.0 / 30.0) ** 2], abs=1e-9)


def test_a_table_of_more_than_a_turn_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"constraints\.table\[0\]\.file.*one turn at most"):
        table_of_delta(tmp_path, np.arange(-180.0, 200.0, 10.0))


@pytest.mark.parametrize(
    ("constraints", "path", "words"),
    [
        ({"limit": [LIMIT]}, "constraints.limit[0].shape", "one-sided-normal"),
        ({"limit": [LIMIT | SHAPE | {"best": 90.0}]}, "constraints.limit[0].best", "< upper"),
        ({"limit": [LIMIT | SHAPE | {"level": 0.4}]}, "constraints.limit[0].level", "> 0.5"),
        ({"gaussian": [REACTOR | {"values": [1.0, 2.0]}]}, "constraints.gaussian[0].values", "1"),
        (
            {"gaussian": [REACTOR | {"covariance": [[1.0]]}]},
            "constraints.gaussian[0].errors",
            "either",
        ),
        (
            {"gaussian": [REACTOR | {"quantities": ["baseline_nG"]}]},
            "constraints.gaussian[0].quantities[0]",
            "m1_meV",
        ),
        ({"gaussian": [REACTOR, REACTOR]}, "constraints.name", "another name"),
        (
            {"limit": [LIMIT | SHAPE | {"quantity": "delta_deg"}]},
            "constraints.limit[0].quantity",
            "on a circle nothing is above",
        ),
        ({"use": ["katrin"]}, "constraints.use", "katrin-2025"),
        ({"use": ["none.toml"]}, "none.toml", "readable"),
        ({"gauss": []}, "constraints.gauss", "gaussian"),
    ],
)
def test_what_means_nothing_is_refused(constraints, path, words):
    with pytest.raises(ConfigError) as caught:
        study(**constraints)
    assert path in caught.value.path
    assert words in str(caught.value)


VARY = {"vary": {"layout.length_cm": {"low": 1.0, "high": 2.0}}}


def test_designs_take_what_leaves_nuisances_one_gaussian():
    load_study(STUDY | {"constraints": {"use": ["katrin-2025"]}, "optimize": VARY})
    load_study(STUDY | {"constraints": {"gaussian": [REACTOR]}, "optimize": VARY})
    both = REACTOR | {"quantities": ["sin2_13", "m1_meV"], "values": [0.022, 50.0]}
    both |= {"errors": [0.0005, 10.0]}
    with pytest.raises(ConfigError, match=r"constraints, .*with \[optimize\].*not on both"):
        load_study(STUDY | {"constraints": {"gaussian": [both]}, "optimize": VARY})
    load_study(STUDY | {"constraints": {"gaussian": [both]}, "forecast": {"m1_meV": [50.0]}})


def test_a_belt_takes_what_can_be_measured_anew():
    belt = {"calibrate": {"belt_sets": 10, "belt_m1_meV": [0.0, 10.0]}}
    load_study(STUDY | belt | {"constraints": {"use": ["katrin-2025"]}})
    with pytest.raises(ConfigError, match=r"constraints, KamLAND.*calibrate\.belt_sets.*Gaussian"):
        load_study(STUDY | belt | {"constraints": {"use": ["kamland-zen-2025"]}})


def test_two_results_of_the_same_data_are_refused(tmp_path):
    """They would count twice: in a study, and in what a run is weighed by."""
    with pytest.raises(ConfigError, match=r"constraints\.use.*one result of DESI DR2 \+ CMB"):
        study(use=["desi-dr2-lcdm", "desi-dr2-w0wacdm"])
    stated = study(use=["katrin-2025", "desi-dr2-lcdm"]).knowledge
    assert [row.data for row in stated] == ["", "DESI DR2 + CMB"]
    assert stated[1].source == "DESI (Elbers et al.), arXiv:2503.14744, 2025-03"
    with pytest.raises(ConfigError, match=r"--with.*one result of DESI DR2 \+ CMB"):
        _terms(study(use=["desi-dr2-lcdm"]), "desi-dr2-w0wacdm")


def test_words_of_refusals_are_ours(tmp_path):
    with pytest.raises(ConfigError, match=r"constraints\.use: got 'katrin-2025'; allowed: a list"):
        study(use="katrin-2025")
    path = tmp_path / "own.toml"
    for text, words in (
        ("schema = 1", "own.toml:schema: got 1; allowed: a file of constraints, whose keys are"),
        ('date = "2026"', "own.toml:source: got nothing; allowed: a value for 'source'"),
        ('source = "a"\ndate = "b"\n[[limit]]\nname = "x"', r"toml:limit\[0\]\.quantity: got noth"),
        ('source = "a"\ndate = "b"\ngaussian = 3', "gaussian: got 3; allowed: a list"),
    ):
        path.write_text(text)
        with pytest.raises(ConfigError, match=words):
            read_constraints(path)
