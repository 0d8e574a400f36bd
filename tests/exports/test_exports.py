"""Each format read back by its own library, or by nothing of ours; and what is refused."""

import json
import re
import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import renp_infer as renp
from renp_infer.app.cli import execute
from renp_infer.errors import ConfigError
from renp_infer.exports import symbols
from renp_infer.exports.chains import chain_files
from renp_infer.exports.latex import written
from renp_infer.exports.write import FORMATS, parse_formats
from renp_infer.verbs.infer.result import InferResult
from tests.toys.runs import make_run, with_estimates, with_result


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("toy") / "run", verdict="warn", shape=(3, 200))


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("real") / "run"
    few = "layout.theta_s_deg={start=50,stop=60,points=5}"
    assert execute(["evaluate", "seed-layout-corrected", "--set", few, "--out", str(folder)]) == 0
    return renp.open_run(folder)


def exact(path):
    """Table whose numbers are read by Python, which rounds rightly."""
    return pd.read_csv(path, dtype=str).map(float)


def draws(run, name):
    return run.get(InferResult).tree["posterior"][name].values


def test_tables_keep_every_digit(run, tmp_path):
    renp.export(run, "csv", tmp_path)
    table = exact(tmp_path / "csv" / "infer-posterior-chain-draw.csv")
    assert list(table.columns[:2]) == ["chain", "draw"]
    for name in ("m1_meV", "baseline_nG"):
        np.testing.assert_array_equal(table[name].to_numpy().reshape(3, 200), draws(run, name))
    columns = pd.read_csv(tmp_path / "csv" / "columns.csv")
    for path in (tmp_path / "csv").glob("infer-*.csv"):
        known = columns[columns.file == path.name].column
        assert list(known) == list(pd.read_csv(path, nrows=1).columns)


def test_tables_of_a_run_without_posterior(evaluated, tmp_path):
    renp.export(evaluated, "csv", tmp_path)
    table = exact(tmp_path / "csv" / "evaluate-theta_s_deg.csv")
    document = json.loads((evaluated.directory / "evaluate.json").read_text("utf-8"))
    for key in ("theta_s_deg", "signal_nG", "sum_G_eV5"):
        assert table[key].tolist() == document[key]


def test_numbers_of_latex_are_those_of_the_posterior(run, tmp_path):
    walker = pytest.importorskip("pylatexenc.latexwalker")
    renp.export(run, "latex", tmp_path)
    for name in ("posterior.tex", "numbers.tex"):
        text = (tmp_path / "latex" / name).read_text("utf-8")
        walker.LatexWalker(text, tolerant_parsing=False).get_latex_nodes()
        assert "% verdict warn" in text and "published" in text
    found = dict(re.findall(r"renp@m1_meV@(\w+)\\endcsname\{\\ensuremath\{([^}]*)\}", text))
    assert float(found["mean"]) == pytest.approx(draws(run, "m1_meV").mean(), abs=0.005)
    assert float(found["sd"]) == pytest.approx(draws(run, "m1_meV").std(), abs=0.005)


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_latex_compiles(run, tmp_path):
    renp.export(run, "latex", tmp_path)
    text = r"\documentclass{article}\begin{document}\input{numbers}\input{posterior}"
    (tmp_path / "latex" / "a.tex").write_text(text + r"\renp{m1_meV}{mean}\end{document}", "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    subprocess.run(command, cwd=tmp_path / "latex", check=True, capture_output=True)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (49.512, 0.58, "49.51"),
        (0.0, 0.58, "0.00"),
        (1.2345e-30, 4.5e-32, r"1.234\times10^{-30}"),
        (123456.0, 2100.0, "123500"),
        (-3.21e7, 4.4e6, r"-3.21\times10^{7}"),
        (5.0, 0.0, "5"),
    ],
)
def test_numbers_have_two_digits_of_their_error(value, error, text):
    assert written(value, error) == text


def test_what_is_not_measured_is_no_number(run, tmp_path):
    unknown = with_estimates(run, {"theta_s_offset_deg": {"measured": False}})
    renp.export(unknown, "latex,hepdata", tmp_path)
    text = (tmp_path / "latex" / "numbers.tex").read_text("utf-8")
    row = [line for line in text.splitlines() if "theta_s_offset_deg" in line]
    assert row and all(line.endswith("{not measured}") for line in row)
    posterior = json.loads((tmp_path / "hepdata" / "posterior.yaml").read_text("utf-8"))
    labels = [cell["value"] for cell in posterior["independent_variables"][0]["values"]]
    assert "m1_meV meV" in labels and not any("theta_s_offset" in label for label in labels)


def test_getdist_reads_the_chains(run, tmp_path):
    getdist = pytest.importorskip("getdist")
    renp.export(run, "getdist", tmp_path)
    settings = {"ignore_rows": 0}
    samples = getdist.loadMCSamples(str(tmp_path / "getdist" / run.name), settings=settings)
    assert samples.numrows == 600
    for name in ("m1_meV", "amplitude"):
        place = samples.index[name]
        np.testing.assert_array_equal(samples.samples[:, place], draws(run, name).ravel())
    mass = samples.paramNames.parWithName("m1_meV")
    assert mass.label == r"m_{1}\,[\mathrm{meV}]"
    assert samples.ranges.getLower("m1_meV") == 0.0
    assert samples.ranges.getUpper("m1_meV") == 450.0
    turned = np.mod(draws(run, "delta_deg").ravel(), 360.0)
    np.testing.assert_array_equal(samples.samples[:, samples.index["delta_deg"]], turned)


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # files it leaves open
def test_hepdata_accepts_the_submission(run, evaluated, tmp_path):
    validator = pytest.importorskip("hepdata_validator.full_submission_validator")
    for name, one in (("toy", run), ("real", evaluated)):
        renp.export(one, "hepdata", tmp_path / name)
        checked = validator.FullSubmissionValidator()
        good = checked.validate(directory=str(tmp_path / name / "hepdata"))
        assert good, checked.get_messages()


def test_density_of_the_mass_is_one(run, tmp_path):
    renp.export(run, "hepdata", tmp_path)
    found = json.loads((tmp_path / "hepdata" / "posterior-m1.yaml").read_text("utf-8"))
    bins = found["independent_variables"][0]["values"]
    heights = [cell["value"] for cell in found["dependent_variables"][0]["values"]]
    widths = [cell["high"] - cell["low"] for cell in bins]
    assert np.dot(widths, heights) == pytest.approx(1.0, rel=1e-12)


def test_an_archive_holds_the_run(evaluated, tmp_path):
    crates = pytest.importorskip("rocrate.rocrate")
    renp.export(evaluated, "ro-crate", tmp_path)
    crate = crates.ROCrate(str(tmp_path / "ro-crate"))
    assert crate.root_dataset["name"] == "seed-layout-corrected"
    assert "corrected" in crate.root_dataset["description"]
    names = {entity.id for entity in crate.data_entities}
    assert {"study.toml", "study.resolved.toml", "evaluate.json"} <= names
    for name in names:
        here = (tmp_path / "ro-crate" / name).read_bytes()
        assert here == (evaluated.directory / name).read_bytes()
        assert crate.get(name)["contentSize"] == str(len(here))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("m₁", "m_{1}"),
        ("sin²θ₁₂", r"\sin^{2}\theta _{12}"),
        ("m_ββ", r"m_{\beta \beta }"),
        ("amplitude", r"\mathrm{amplitude}"),
        ("50 %", r"50 \%"),
    ],
)
def test_symbols(text, expected):
    assert symbols.tex(text) == expected


@pytest.mark.parametrize("text", ["", "pdf", "csv,", "csv;latex"])
def test_unknown_formats_are_refused(text):
    with pytest.raises(ConfigError, match="--to"):
        parse_formats(text)
    assert parse_formats("csv, latex,csv") == ("csv", "latex")


def test_nothing_is_written_where_something_is_refused(evaluated, run, tmp_path, capsys):
    target = tmp_path / "out"
    command = ["export", str(evaluated.directory), "--to", "csv,latex", "--out", str(target)]
    assert execute(command) == 2
    assert "no posterior" in capsys.readouterr().err and not target.exists()
    renp.export(run, "csv", target)
    (target / "csv" / "mine.txt").write_text("mine", "utf-8")
    with pytest.raises(ConfigError, match="--force"):
        renp.export(run, "csv", target)
    assert (target / "csv" / "mine.txt").exists()
    renp.export(run, "csv", target, force=True)
    assert not (target / "csv" / "mine.txt").exists()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept", "utf-8")
    (target / "latex").symlink_to(elsewhere)
    with pytest.raises(ConfigError, match="link"):
        renp.export(run, "latex", target, force=True)
    assert (elsewhere / "kept").exists()


def test_every_format_by_the_command_line(evaluated, tmp_path, capsys):
    command = ["export", str(evaluated.directory), "--out", str(tmp_path), "--json"]
    assert execute([*command, "--to", "csv,hepdata,ro-crate"]) == 0
    files = json.loads(capsys.readouterr().out)["files"]
    assert list(files) == ["csv", "hepdata", "ro-crate"] and set(files) < set(FORMATS)
    assert all((tmp_path / name).is_dir() for name in files)


def test_the_cost_of_a_draw_is_minus_its_log_posterior(run, rng):
    tree = run.get(InferResult).tree.copy()
    density = xr.Dataset({"lp": (("chain", "draw"), rng.normal(size=(3, 200)))})
    tree["sample_stats"] = xr.DataTree(density)
    kept = with_result(run, "infer", replace(run.get(InferResult), tree=tree))
    for source, expected in ((kept, -density["lp"].values), (run, np.zeros((3, 200)))):
        texts = [text for name, text in chain_files(source) if name.endswith(".txt")]
        cost = [np.loadtxt(text.splitlines())[:, 1] for text in texts]
        np.testing.assert_array_equal(cost, expected)
