"""What is quoted: a number, a limit with its prior, or that nothing was measured."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from renp_infer.terminal import show
from renp_infer.verbs.evaluate.result import EvaluateResult
from renp_infer.verbs.infer import page
from renp_infer.verbs.infer.command import document_of
from renp_infer.verbs.infer.result import InferResult
from renp_infer.verbs.infer.summary import summary_table
from renp_infer.verbs.infer.words import (
    constraints_of,
    constraints_sentence,
    mass_sentence,
    phases_sentence,
)
from tests.toys.runs import make_run, with_estimates

LIMIT = {"upper_90": 12.04, "upper_95": 13.21, "reaches": ("lower",), "sd": 4.0, "measured": True}


def run_of(**m1):
    return with_estimates(make_run(m1=0.4, shape=(4, 200)), {"m1_meV": m1})


def printed(run, capsys):
    show(summary_table([run]))
    return " ".join(capsys.readouterr().out.split())


def test_a_mass_at_its_end_is_a_limit_with_its_prior(capsys):
    run = run_of(**LIMIT, truth=1.0)
    told = mass_sentence(run)
    assert told == (
        "m₁ < 13.2 meV at 95 %, < 12.0 meV at 90 % (credible, one-sided, prior uniform from 0 to "
        "450 meV); the posterior reaches the prior's end at 0 meV; truth 1 meV"
    )
    out = printed(run, capsys)
    assert told in out and "< 13.2 one-sided" in out
    assert "±" not in out.replace("m1 ± sd", "")


def test_a_mass_that_is_not_measured_has_no_mean(capsys):
    run = run_of(**(LIMIT | {"measured": False, "mean": 226.0, "sd": 129.0, "upper_95": 428.0}))
    told = mass_sentence(run)
    assert told.startswith("The mass is not measured: its posterior is that of the prior. m₁ < 428")
    assert "the prior alone gives" in told and "226" not in told
    out = printed(run, capsys)
    assert "not measured" in out and "226" not in out
    row = page.parameter_rows(run)[0]
    assert row[1] == "not measured" and set(row[2:5]) == {"–"} and "*" not in row[5]


def test_a_measured_mass_keeps_mean_and_interval_in_one_row(capsys):
    run = run_of(mean=50.0, sd=0.5, interval_95=(49.0, 51.0), reaches=(), measured=True)
    out = printed(run, capsys)
    assert "50.00 ± 0.50 49.00-51.00" in out and "credible" not in out


def test_an_upper_end_is_named():
    run = run_of(mean=440.0, sd=6.0, interval_95=(428.0, 449.9), reaches=("upper",), measured=True)
    assert "the posterior reaches the prior's end at 450 meV" in mass_sentence(run)


@pytest.mark.parametrize("measured", [True, False])
def test_the_phases_that_are_seen_are_listed(measured, capsys):
    run = make_run(shape=(4, 200))
    assert phases_sentence(run) == ""
    found = run.get(InferResult)
    row = dataclasses.replace(
        found.estimates["delta_deg"],
        interval_68=(350.0, 20.0),
        regions_68=((350.0, 20.0), (80.0, 110.0)),
        measured=measured,
    )
    estimates = {**found.estimates, "alpha21_deg": row, "alpha31_minus_2delta_deg": row}
    results = {**run.results, "infer": dataclasses.replace(found, estimates=estimates)}
    run = dataclasses.replace(run, results=results)
    told = phases_sentence(run)
    assert told.count("350 to 20 and 80 to 110 (68 %)") == 2 * measured
    assert told.count("not measured") == 2 * (not measured)
    assert "α₃₁ − 2δ [deg]" in told and told in printed(run, capsys)
    assert told in page.sentence(run)


def test_an_older_result_is_compared_with_its_prior_when_it_is_read():
    """Rows without what is asked now; draws of posterior and prior are in the file."""
    seed, edge = (
        make_run(layout=layout, m1=m1, shape=(4, 500))
        for layout, m1 in (("seed", 50.0), ("edge", 0.4))
    )
    rows = json.loads(seed.get(InferResult).tree.attrs["renp_summary"])["parameters"]
    assert not {"measured", "upper_95", "reaches"} & set(rows["m1_meV"])
    assert seed.get(InferResult).mass.measured is False
    mass = edge.get(InferResult).mass
    draws = edge.get(InferResult).tree["posterior"]["m1_meV"].values
    assert mass.measured and mass.reaches == ("lower",)
    assert mass.upper_95 == pytest.approx(np.quantile(draws, 0.95))
    assert (
        document_of(edge)["hypotheses"][0]["parameters"]
        == json.loads(edge.get(InferResult).tree.attrs["renp_summary"])["parameters"]
    )


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["KATRIN 2025", "DESI"], "Constraints of other experiments enter: KATRIN 2025; DESI"),
        ([], ""),
    ],
)
def test_constraints_are_named(names, said):
    tree = SimpleNamespace(attrs={"renp_summary": json.dumps({"constraints": names})})
    run = SimpleNamespace(get=lambda _: SimpleNamespace(tree=tree))
    assert constraints_sentence(constraints_of(run)) == said


@pytest.mark.parametrize(
    ("noise", "data"),
    [("drawn", "mock, with drawn noise"), ("none", "mock: the expectation, without noise")],
)
def test_what_a_posterior_rests_on_is_said(noise, data):
    run = make_run(preset="corrected", shape=(4, 200), normalised=True)
    run.study["inference"] = run.study.get("inference", {}) | {"noise": noise}
    rows = dict(page.premise_rows(run))
    assert rows["data"] == data and rows["ordering, nature"] == "normal, dirac"
    assert rows["physics"] == "corrected"
    assert rows["m₁"] == "prior uniform from 0 to 450 meV"
    assert rows["noise"] == "Gaussian, normalised to peak S/N = 1000"
    free = {row[0] for row in page.parameter_rows(run)} - {"m₁ [meV]"}
    told = set(rows["free too, priors in the table"].split(", "))
    assert told <= free and "amplitude" in told


def test_measured_data_are_named_and_absolute_noise_is_said():
    run = make_run(shape=(4, 200))
    run.results["evaluate"] = dataclasses.replace(run.get(EvaluateResult), data="own.csv")
    rows = dict(page.premise_rows(run))
    assert rows["data"] == "measured: own.csv" and rows["noise"] == "Gaussian, absolute"
