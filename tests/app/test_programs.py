"""Examples of the pages with other programs: their posteriors are those of ``renp infer``."""

import importlib
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import renp_infer as renp

PAGE = Path(__file__).parents[2] / "docs" / "library.md"
KEYS: dict[str, Any] = {
    "layout.theta_s_deg": [141.0, 142.0, 143.0, 144.0, 145.0, 146.0],
    "detector.reference_snr": 20.0,
    "inference.sampler": "independence",
    "inference.draws": 4000,
    "inference.tune": 1000,
    "inference.phases": "fixed",
    "inference.oscillation_errors": False,
    "inference.theta_s_offset_sd_deg": 0.0,
    "inference.theta_e_offset_sd_deg": 0.0,
}
"""Few parameters, so that every program is done in a minute."""

pytestmark = pytest.mark.slow


def example(heading: str) -> str:
    """The block of Python under a heading."""
    text = PAGE.read_text(encoding="utf-8").partition(f"### {heading}\n")[2]
    found = re.search(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None, heading
    return found[1]


@pytest.fixture(scope="module")
def study() -> renp.Study:
    return renp.load_study("edge-layout-normalised", KEYS)


@pytest.fixture(scope="module")
def own(study: renp.Study) -> Any:
    """Draws of ``renp infer`` by name."""
    tree = renp.infer(study, quiet=True)
    return {str(name): tree["posterior"][name].values.ravel() for name in tree["posterior"]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where programs may leave files; their own warnings are not ours."""
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield tmp_path


def ran(heading: str, study: renp.Study, *packages: str) -> dict[str, Any]:
    """Names that an example leaves; a skip where a package is missing."""
    for package in packages:
        pytest.importorskip(package, reason=f"{package} is not installed (extra: outside)")
    names: dict[str, Any] = {"__name__": "__main__", "renp": renp, "np": np, "study": study}
    exec(compile(example(heading), str(PAGE), "exec"), names)
    return names


def agrees(draws: Any, names: Any, own: Any, ess: float, weights: Any = None) -> None:
    """Means within 4.5 standard errors, widths within as much, by effective draws."""
    for name, column in zip(names, np.asarray(draws).T, strict=True):
        expected = own[name]
        mean = np.average(expected, weights=weights)
        sd = np.sqrt(np.average((expected - mean) ** 2, weights=weights))
        many = expected.size / 4 if weights is None else weights.sum() ** 2 / np.sum(weights**2) / 4
        error = sd * np.sqrt(1.0 / ess + 1.0 / many)
        assert abs(column.mean() - mean) < 4.5 * error, name
        assert column.std() == pytest.approx(sd, rel=4.5 * error / sd), name


@pytest.mark.parametrize(
    ("heading", "package", "ess"),
    [("emcee", "emcee", 800.0), ("dynesty", "dynesty", 800.0), ("bilby", "bilby", 500.0),
     ("cobaya", "cobaya", 400.0)],
)  # fmt: skip
def test_a_sampler_from_outside(
    heading: str, package: str, ess: float, study: renp.Study, own: Any, folder: Path
) -> None:
    names = ran(heading, study, package)
    agrees(names["draws"], names["found"].names, own, ess)


def test_an_own_term_in_pymc(study: renp.Study, own: Any, folder: Path) -> None:
    """Against the draws without it, by weight."""
    names = ran("PyMC", study, "pymc")
    weights = np.exp(-0.5 * ((own["m1_meV"] - 45.0) / 10.0) ** 2)
    agrees(names["draws"], names["vector"], own, 800.0, weights)


def test_two_runs_in_one_triangle(study: renp.Study, folder: Path) -> None:
    names = ran("GetDist and corner", study, "getdist", "corner")
    assert (folder / "triangle.pdf").stat().st_size > 1000
    assert (folder / "corner.pdf").stat().st_size > 1000
    for label, chain in zip(names["draws"], names["chains"], strict=True):
        draws = names["draws"][label]
        assert chain.mean("m1_meV") == pytest.approx(draws[:, 0].mean(), rel=1e-6)
        assert chain.std("amplitude") == pytest.approx(draws[:, 1].std(), rel=1e-3)
    light, heavy = (names["draws"][label][:, 0].mean() for label in ("light", "heavy"))
    assert light < heavy


def test_every_example_is_run() -> None:
    """Headings of the page with a block of Python, below the section of programs."""
    text = PAGE.read_text(encoding="utf-8").partition("## Our signal in your program\n")[2]
    headings = re.findall(r"^### (.+)$", text, re.MULTILINE)
    known = ["emcee", "dynesty", "cobaya", "bilby", "PyMC", "GetDist and corner"]
    assert headings == known and importlib.import_module("emcee")
