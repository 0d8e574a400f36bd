"""The posterior of a blinded study: what of it is published, and how that is told.

What is written is chosen, not what is left out. Of m1 there are the mean with an offset and
the standard deviation; of each derived mass the mean with an offset of its own, but no width:
the ratio of two widths is the derivative of one mass by the other, which tells the mass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from renp_infer.engine.provenance import PROVENANCE
from renp_infer.engine.result import Result, Verdict, Word
from renp_infer.errors import ConfigError
from renp_infer.fields import Said
from renp_infer.inference.fit import ANGLE
from renp_infer.inference.parameters import BETA, DOUBLE_BETA, MASS, PARAMETERS, SUM
from renp_infer.measurement.data import DATA_SET
from renp_infer.records import FloatArray
from renp_infer.study.blinding import OF_DATA, OF_QUESTION
from renp_infer.study.study import source_of
from renp_infer.verbs.hidden import BLINDED, hidden, secret_in
from renp_infer.verbs.infer.result import CONSTRAINTS, InferResult
from renp_infer.verbs.infer.work import infer

if TYPE_CHECKING:
    import xarray

    from renp_infer.engine.run import Run
    from renp_infer.engine.tasks import Context
    from renp_infer.study.study import Study

HIDDEN_MASSES = {MASS: 1.0, SUM: 3.0, BETA: 1.0, DOUBLE_BETA: 1.0}
"""Largest derivative of each by m1: its offset is so many times wider, so that none tells m1
better than the offset of m1 itself hides it. Few, since all together tell it the better."""
BY_ANGLE = "renp_checks"
"""Group of residuals, pulls and Pareto k by angle."""
BY_PLACE = (ANGLE, DATA_SET)
"""Where the data stand."""
DIAGNOSED = ("divergences", "r_hat_max", "ess_bulk_min", "ess_tail_min", "bfmi_min",
             "max_depth_reached", "sampler", "response_error_sigma", "field_error_sigma",
             "response_masses", "response_distances")  # fmt: skip
OLD_OFFSETS = "an older version made it: fits of the same data with other priors have its offsets"
NARROW = "blinding.width_meV is below the posterior's own width: it hides less than the error"


@dataclass(frozen=True)
class Shifted:
    """The mean of a mass with its offset, meV.

    Attributes
    ----------
    blinded_mean : float
        May be negative.
    sd : float or None
        Of the posterior; ``None`` of a derived mass.
    """

    blinded_mean: float
    sd: float | None = None


@dataclass(frozen=True)
class Pulled:
    """Mean and width of a nuisance's posterior by its prior, in the prior's sd."""

    pull: float
    width: float


@dataclass(frozen=True)
class Published:
    """Everything that is said of a blinded posterior but for what stands by angle.

    Attributes
    ----------
    ordering, nature : str
        Under which the data were fitted.
    data : str
        Name of their file.
    width_meV : float
        Standard deviation of the offset of m1; those of derived masses are ``HIDDEN_MASSES``
        times as wide.
    masses : mapping
    nuisances : mapping
    diagnostics : mapping
        What of the sampler is judged; ``None`` for what it does not have.
    posterior_p, prior_p : mapping
        Predictive p-values by discrepancy.
    largest_pareto_k : float or None
    verdicts : mapping
        Word and reasons by what was judged.
    constraints : tuple of str
    offsets : str
        What they follow from besides the key; older versions did not say, nor hide well.
    """

    ordering: str
    nature: str
    data: str
    width_meV: float
    masses: Mapping[str, Shifted]
    nuisances: Mapping[str, Pulled]
    diagnostics: Mapping[str, Any]
    posterior_p: Mapping[str, float]
    prior_p: Mapping[str, float]
    largest_pareto_k: float | None
    verdicts: Mapping[str, tuple[Word, tuple[str, ...]]]
    constraints: tuple[str, ...] = ()
    offsets: str = OF_DATA

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Published:
        """From its document."""
        kinds = {"masses": Shifted, "nuisances": Pulled}
        tables = {
            name: {key: kind(**row) for key, row in document[name].items()}
            for name, kind in kinds.items()
        }
        verdicts = {k: (v[0], tuple(v[1])) for k, v in document["verdicts"].items()}
        rest = {"verdicts": verdicts, "constraints": tuple(document["constraints"])}
        return cls(**dict(document) | tables | rest)


def blinded_fit(study: Study, context: Context) -> xarray.DataTree:
    """Sample the posterior of a blinded study, and give what may be seen of it.

    Raises
    ------
    ConfigError
        If the key cannot be read.
    BlindedError
        If the fit fails.
    """
    secret = secret_in(study)
    with hidden():
        assert study.blinding is not None
        tree = infer(study, context)
        found, width = InferResult.of(tree), study.blinding.width_meV
        masses = {
            name: Shifted(found.estimates[name].mean + secret.offset(name, slope * width))
            for name, slope in HIDDEN_MASSES.items()
            if name in found.estimates
        }
        masses[MASS] = Shifted(masses[MASS].blinded_mean, found.mass.sd)
        return _tree(_published(study, found, masses, width), tree)


def verdicts_told(found: InferResult) -> dict[str, tuple[Word, tuple[str, ...]]]:
    """Verdicts that hide the masses: not how far constraints are, which of a limit is the mass."""
    return {
        name: (one.verdict, one.reasons)
        for name, one in found.verdicts().items()
        if name != CONSTRAINTS
    }


def _published(
    study: Study, found: InferResult, masses: dict[str, Shifted], width: float
) -> Published:
    assert found.checks is not None
    checks, truth = found.checks, study.parameters
    rows = checks.impact.nuisances
    judged = verdicts_told(found)
    if found.mass.sd > width:
        judged["blinding"] = ("warn", (NARROW,))
    return Published(
        ordering=truth.ordering,
        nature=truth.nature,
        data=source_of(study),
        width_meV=width,
        masses=masses,
        nuisances={
            name: Pulled(row.pull, row.width)
            for name, row in rows.items()
            if row.pull is not None and row.width is not None
        },
        diagnostics={name: getattr(found.diagnostics, name) for name in DIAGNOSED},
        posterior_p=checks.posterior_p,
        prior_p=checks.prior_p,
        largest_pareto_k=checks.loo.largest_k,
        verdicts=judged,
        constraints=tuple(row.term.name for row in study.knowledge),
        offsets=OF_QUESTION,
    )


def _tree(published: Published, whole: xarray.DataTree) -> xarray.DataTree:
    """What is written: the document, and residuals, pulls and Pareto k by angle."""
    import xarray as xr

    checks = whole[BY_ANGLE].to_dataset()
    (seen,) = whole["observed_data"].to_dataset().data_vars.values()
    (drawn,) = whole["posterior_predictive"].to_dataset().data_vars.values()
    residual = seen.values - drawn.values.mean(axis=(0, 1))
    columns = {name: (checks[name].dims, checks[name].values) for name in ("pull", "pareto_k")}
    columns[f"residual_{seen.name}"] = (seen.dims, residual)
    places = {n: (at.dims, at.values) for n, at in checks.coords.items() if n in BY_PLACE}
    tree = xr.DataTree.from_dict({BY_ANGLE: xr.Dataset(columns, places)})
    tree.attrs = {BLINDED: json.dumps(asdict(published))}
    return tree


@dataclass(frozen=True, eq=False)
class BlindedFit(Result):
    """What may be seen of a posterior.

    Attributes
    ----------
    published : Published
    theta_s_deg, pull, pareto_k : ndarray, shape (n,)
    data_set : tuple of str
        Which of several data sets each belongs to, n of them; else none.
    tree : DataTree
        ``infer.nc``, in memory.
    """

    published: Published
    theta_s_deg: FloatArray
    pull: FloatArray
    pareto_k: FloatArray
    data_set: tuple[str, ...]
    tree: xarray.DataTree = field(repr=False)

    @classmethod
    def of(cls, tree: xarray.DataTree) -> BlindedFit:
        """From ``infer.nc`` of a blinded run."""
        table = tree[BY_ANGLE].to_dataset()
        names = (ANGLE, "pull", "pareto_k")
        sets = map(str, table[DATA_SET].values) if DATA_SET in table.coords else ()
        theta, pull, k = (np.asarray(table[name].values, float) for name in names)
        return cls(Published.of(json.loads(tree.attrs[BLINDED])), theta, pull, k, tuple(sets), tree)

    def verdicts(self) -> dict[str, Verdict]:
        """As of the posterior itself, and of the width of the offsets."""
        found = {k: Verdict(word, why) for k, (word, why) in self.published.verdicts.items()}
        old = self.published.offsets != OF_QUESTION
        return found | ({"offsets": Verdict("warn", (OLD_OFFSETS,))} if old else {})

    def rows(self) -> list[tuple[str, str]]:
        """The mass, which is none."""
        return [("blinded m1 + offset [meV]", blinded_text(self.published.masses[MASS]))]

    def origin(self) -> dict[str, Any]:
        """Attributes of the tree's group of that name."""
        if PROVENANCE not in self.tree.children:
            return {}
        return {str(k): v for k, v in self.tree[PROVENANCE].attrs.items()}

    def samplers(self) -> list[str]:
        """That of the posterior."""
        return [str(self.published.diagnostics["sampler"])]

    def told(self) -> xarray.DataTree:
        """The tree."""
        return self.tree


def blinded_text(found: Shifted) -> str:
    """A mean that is none, with its width."""
    width = "" if found.sd is None else f" ± {found.sd:.2g}"
    return f"{found.blinded_mean:.1f}{width}"


def blinded_rows(found: BlindedFit) -> list[tuple[str, str]]:
    """Each mass with its offset."""
    masses = found.published.masses.items()
    return [(f"{PARAMETERS.text(name)} + offset", blinded_text(one)) for name, one in masses]


def refuse_blinded(run: Run) -> None:
    """Refuse a run whose posterior is hidden.

    Raises
    ------
    ConfigError
    """
    if run.find(BlindedFit) is not None:
        hint = "renp unblind RUN --key FILE fits again, and that run can be read"
        allowed = "a run that is not blinded"
        raise ConfigError(str(run.directory), Said("a blinded run"), allowed, hint)


def document_of_blinded(run: Run) -> dict[str, Any]:
    """The document of ``renp infer --json`` of a blinded study."""
    found = run.get(BlindedFit)
    said = {"schema": 1, "name": run.name, "verdict": run.verdict, "blinded": True}
    return said | asdict(found.published)
