"""Simulated campaigns: choose, measure, learn; against fixed layouts in the same time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import logsumexp

from renp_infer.design.sequences.beliefs import Beliefs, Readings
from renp_infer.design.sequences.sequential import Step, campaign, settled
from renp_infer.inference.results.comparison import HYPOTHESES
from renp_infer.measurement.squid import relative_times
from renp_infer.study.units import described
from renp_infer.verbs.about import facts_of
from renp_infer.verbs.sequential.bench import SequenceBench, bench_of, new_run
from renp_infer.verbs.sequential.result import KNOWN, LAYOUTS, CampaignsAbout, Knowledge

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.tasks import Task
    from renp_infer.records import FloatArray
    from renp_infer.study.study import Study

Columns = dict[str, tuple[tuple[str, ...], Any]]
"""Dimensions and values of a group's columns by name."""
FRACTIONS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)
"""Shares of a campaign's time after which a fixed layout is compared."""
PART = "renp_part"
ROUNDS = 2
"""Gauss-Newton steps from the prior to what a layout says."""


def perform(study: Study, task: Task) -> xarray.DataTree:
    """One campaign.

    Parameters
    ----------
    study : Study
        With settings of ``[optimize.sequential]``.
    task : Task

    Returns
    -------
    DataTree
        Groups ``steps`` (dimension step) and ``layouts`` (layout, fraction); attribute
        ``renp_part`` says of which truth.
    """
    import xarray as xr

    assert study.sequential is not None
    m1, number = study.sequential.part(task.index)
    bench = bench_of(study, task.base)
    field = bench.truth(m1, np.random.default_rng(task.seed(0)))
    noise = np.random.default_rng(task.seed(1))

    def measure(angle: int, sigma_nG: float) -> float:
        return float(field[angle] + sigma_nG * noise.standard_normal())

    total = study.sequential.total_s
    refine = bench.expander.refined
    known = bench.drawn_before(field, np.random.default_rng(task.seed(3)))
    steps = campaign(
        bench.atlas, bench.menu(), measure, total, stop=bench.enough, refine=refine, before=known
    )
    fixed = _fixed(bench, field, m1, known, np.random.default_rng(task.seed(2)))
    groups = {"steps": xr.Dataset(_columns(bench, list(steps), m1)), "layouts": xr.Dataset(fixed)}
    tree = xr.DataTree.from_dict(groups)
    tree.attrs = {PART: json.dumps({"m1_meV": m1, "campaign": number})}
    return tree


def _columns(bench: SequenceBench, steps: list[Step], m1_meV: float) -> Columns:
    """One row per measurement."""
    own = {
        "theta_s_deg": [np.rad2deg(bench.atlas.theta_s[step.choice.angle]) for step in steps],
        "exposure_s": [step.choice.exposure_s for step in steps],
        "elapsed_s": [step.elapsed_s for step in steps],
        "field_nG": [step.datum for step in steps],
        "sigma_nG": [step.sigma for step in steps],
        "expected_nat": [step.choice.information for step in steps],
    }
    known = [knowledge(bench, step.beliefs, m1_meV) for step in steps]
    columns: Columns = {name: (("step",), values) for name, values in own.items()}
    return columns | _known(known, (len(steps),), "step")


def _known(rows: Sequence[Knowledge], shape: tuple[int, ...], *dims: str) -> Columns:
    """Columns of what is known, from one row after the other."""
    columns: Columns = {
        name: (dims, np.reshape([getattr(row, name) for row in rows], shape)) for name in KNOWN
    }
    chances = np.reshape([row.probability for row in rows], (*shape, -1))
    return columns | {"probability": ((*dims, "hypothesis"), chances)}


def knowledge(bench: SequenceBench, beliefs: Beliefs, m1_meV: float) -> Knowledge:
    """What is known of m1 and the hypotheses, and how well that fits a truth."""
    mean, sd = beliefs.mass(bench.atlas)
    gain = log_density(bench, beliefs, m1_meV) - log_density(bench, bench.atlas.start(), m1_meV)
    scalars = np.asarray(mean), np.asarray(sd), np.asarray(gain)
    return Knowledge(*scalars, bench.probabilities(beliefs))


def log_density(bench: SequenceBench, beliefs: Beliefs, m1_meV: float) -> float:
    """Log density of m1, per meV."""
    atlas = bench.atlas
    centre = atlas.m1_meV + atlas.rest_meV * beliefs.means[:, 0]
    sd = atlas.rest_meV * np.sqrt(beliefs.covariances[:, 0, 0])
    pull = (m1_meV - centre) / sd
    logs = beliefs.log_weights - 0.5 * (pull**2 + np.log(2.0 * np.pi)) - np.log(sd)
    return float(logsumexp(logs))


def _fixed(
    bench: SequenceBench,
    field: FloatArray,
    m1_meV: float,
    known: Readings,
    rng: np.random.Generator,
) -> Columns:
    """What fixed layouts know after the same times: the study's own, and ``fixed_deg``.

    Exposures are in the study's shares, or equal. NaN where the moves alone take longer.
    """
    settings = bench.settings
    own, fixed = bench.own.layout.theta_s, np.array(settings.fixed)
    times = relative_times(bench.own.detector, own.size)
    blank = np.full((), np.nan)
    nothing = Knowledge(blank, blank, blank, np.full(len(bench.hypotheses), np.nan))
    rows = []
    for theta_s, shares in ((own, times), (fixed, np.ones(fixed.size))):
        draw = rng.standard_normal(theta_s.size)
        for fraction in FRACTIONS:
            exposure = fraction * settings.total_s - theta_s.size * settings.setting_s
            if not theta_s.size or exposure <= 0.0:
                rows.append(nothing)
                continue
            sigma = bench.sigma_nG(exposure / theta_s.size) / np.sqrt(shares)
            places = bench.places(theta_s)
            seen = Readings(places, field[places] + sigma * draw, np.diag(sigma**2))
            rows.append(knowledge(bench, _learned(bench, known.and_then(seen)), m1_meV))
    columns = _known(rows, (len(LAYOUTS), len(FRACTIONS)), "layout", "fraction")
    return columns | {"elapsed_s": (("fraction",), settings.total_s * np.array(FRACTIONS))}


def _learned(bench: SequenceBench, readings: Readings) -> Beliefs:
    return settled(bench.atlas, readings, bench.expander.refined, ROUNDS)[1]


def merge_campaigns(study: Study, paths: Iterator[str], target: Path) -> None:
    """Write ``sequential.nc`` from the files of the campaigns.

    Groups ``steps`` with dimensions m1_meV, campaign and step, NaN after a campaign's
    end; ``layouts`` with m1_meV, campaign, layout and fraction.

    Parameters
    ----------
    study : Study
    paths : iterator of str
        In order; those of failed tasks are missing.
    target : Path
    """
    import xarray as xr

    settings = study.sequential
    assert settings is not None
    parts: dict[str, list[xarray.Dataset]] = {"steps": [], "layouts": []}
    for path in paths:
        with xr.open_datatree(path, engine="h5netcdf") as tree:
            place = json.loads(tree.attrs[PART])
            for name, rows in parts.items():
                labels = {key: [value] for key, value in place.items()}
                rows.append(tree[name].to_dataset().load().expand_dims(labels))
    groups = {name: _joined(rows) for name, rows in parts.items()}
    pairs = zip(HYPOTHESES, settings.odds, strict=True)
    names = [" ".join(pair) for pair, weight in pairs if weight]
    result = xr.DataTree.from_dict(
        {name: data.assign_coords(hypothesis=names) for name, data in groups.items()}
    )
    missing = settings.count - len(parts["steps"])
    result.attrs = dict(_about(study, missing).to_attributes())
    described(result).to_netcdf(target, engine="h5netcdf")


def _about(study: Study, missing: int) -> CampaignsAbout:
    settings, own = study.sequential, study.parameters
    assert settings is not None
    counts = new_run(study).layout.theta_s.size, len(settings.fixed)
    return CampaignsAbout(
        **facts_of(study, missing),
        goal=settings.goal,
        lookahead=settings.lookahead,
        setting_s=settings.setting_s,
        total_s=settings.total_s,
        truth=f"{own.ordering} {own.nature}",
        angles=dict(zip(LAYOUTS, counts, strict=True)),
    )


def _joined(rows: list[xarray.Dataset]) -> xarray.Dataset:
    """One table of campaigns that may have different numbers of steps."""
    import xarray as xr

    longest = max(row.sizes.get("step", 0) for row in rows)
    if longest:
        rows = [row.pad(step=(0, longest - row.sizes["step"])) for row in rows]
    return xr.combine_by_coords(rows)  # type: ignore[return-value]
