"""Section ``[optimize]`` of a study: what may vary, what is wanted, who searches."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator as After
from pydantic import BeforeValidator as Before

from renp_infer.design.spaces.cost import CostModel
from renp_infer.design.utilities.measures import OBJECTIVES, UTILITIES, direction
from renp_infer.errors import ConfigError
from renp_infer.fields import Number, Several, Whole, nearest, refusal
from renp_infer.study.sections.base import (
    Flag,
    Section,
    Word,
    about,
    as_tuple,
    choice,
    flat,
    several,
)
from renp_infer.study.sections.grids.windows import Varied, WindowSection
from renp_infer.study.sections.odds import Odds, OddsSection, some_odds
from renp_infer.study.sections.sequential import SequentialSection

MASS_PRIORS = ("uniform", "log-uniform", "cosmology")
OPTIMIZERS = ("skopt", "sklearn", "sobol", "random", "botorch")


class CostSection(Section):
    """Prices; see ``design/spaces/cost.py``.

    The defaults are placeholders in hours of beam time, to be replaced by a study's own.
    """

    crystal_per_cm3: Annotated[Odds, about("Price of a volume of crystal.")] = 0.1
    beam_per_hour: Annotated[Odds, about("Price of an hour of exposure.")] = 1.0
    laser_per_W: Annotated[Odds, about("Price of the three lasers' power, together.")] = 10.0
    per_angle: Annotated[Odds, about("Price of a trigger angle.")] = 0.0


def cost_model(section: CostSection) -> CostModel:
    """Prices of a checked section."""
    return CostModel(**section.model_dump())


class _Objectives:
    """Check for one utility, or two or three objectives of which the first is a utility."""

    allowed = f"one of {', '.join(UTILITIES)}; or a list of two or three of {', '.join(OBJECTIVES)}"
    schema = {
        "anyOf": [
            {"enum": list(UTILITIES)},
            {
                "type": "array",
                "items": {"enum": list(OBJECTIVES)},
                "minItems": 1,
                "maxItems": 3,
                "uniqueItems": True,
            },
        ]
    }

    def __call__(self, value: object) -> object:
        """Check one value."""
        names = (value,) if isinstance(value, str) else as_tuple(value)
        if not isinstance(names, tuple) or not 1 <= len(names) <= 3:
            raise refusal(self.allowed)
        for k, name in enumerate(names):
            known = OBJECTIVES if k else UTILITIES
            if name not in known:
                raise refusal(f"one of {', '.join(known)}", nearest(str(name), known))
        if len(set(names)) < len(names):
            raise refusal(self.allowed)
        return names


def _entries(value: object) -> object:
    """A list; or what stands in a table of named entries, or of none; or one table alone."""
    if not isinstance(value, dict):
        return as_tuple(value) if isinstance(value, list | tuple) else _refused()
    named = all(isinstance(v, dict | str) for v in value.values())
    return tuple(value.values()) if named else (value,)


def _refused() -> object:
    raise refusal("a list, or a table of named entries")


class _SomeOf(Several):
    """Check for several of some words, or none."""

    def __call__(self, value: object) -> tuple[str, ...]:
        """Check one list."""
        return super().__call__(value) if value not in ((), []) else ()

    @property
    def allowed(self) -> str:
        """The options in words."""
        return f"a list of some of {', '.join(self.options)}, each once"

    @property
    def schema(self) -> dict[str, Any]:
        """The options, as a JSON schema."""
        return super().schema | {"minItems": 0}


class OptimizeSection(Section):
    """A design space, what is wanted of a design, and how it is searched."""

    utility: Annotated[
        tuple[str, ...],
        Before(_Objectives()),
        about(
            "What a good design has much (or little) of; a list of two or three is a front.",
            typical="eig_m1, sd_m1, p_nature, p_ordering",
            page="design.md#utilities",
        ),
    ] = ("eig_m1",)
    per_cost: Annotated[Flag, about("Whether utilities are divided by the cost.")] = False
    evaluations: Annotated[
        int, Before(Whole(1, 1_000_000)), about("Starts and proposals of each search.")
    ] = 60
    polish: Annotated[
        int, Before(Whole(0, 1_000_000)), about("Steps of the climb after each search; 0: none.")
    ] = 40
    batch: Annotated[int, Before(Whole(1, 1000)), about("Proposals made at a time.")] = 1
    optimizer: Annotated[
        Literal["skopt", "sklearn", "sobol", "random", "botorch"],
        choice(*OPTIMIZERS),
        about("What proposes designs.", page="design.md#how-it-is-searched"),
    ] = "skopt"
    baselines: Annotated[
        tuple[str, ...],
        Before(_SomeOf(*OPTIMIZERS)),
        about("Other optimizers, with as many evaluations, to compare with.", typical='["sobol"]'),
    ] = ()
    repeats: Annotated[int, Before(Whole(1, 10_000)), about("Searches of each optimizer.")] = 1
    physics_starts: Annotated[
        Flag, about("Whether a search begins with what phase matching and thresholds suggest.")
    ] = True
    truth: Annotated[
        Literal["prior", "fixed"],
        choice("prior", "fixed"),
        about("Truths drawn from the prior, or the study's own alone."),
    ] = "prior"
    truths: Annotated[
        int, Before(Whole(2, 100_000)), about("Truths in each evaluation; more: less noise.")
    ] = 32
    final_truths: Annotated[
        int,
        Before(Whole(2, 100_000)),
        about("Other truths, by which the best designs are judged."),
    ] = 128
    masses: Annotated[
        int,
        Before(Whole(2, 10_000)),
        about("Masses in the table of each utility.", page="design.md#errors"),
    ] = 193
    orderings: Annotated[
        tuple[str, ...], several("normal", "inverted"), about("Orderings that may be true.")
    ] = ("normal", "inverted")
    natures: Annotated[
        tuple[str, ...], several("dirac", "majorana"), about("Natures that may be true.")
    ] = ("dirac", "majorana")
    prior_odds: Annotated[
        OddsSection, After(some_odds), about("Prior odds of the four hypotheses, of any sum.")
    ] = OddsSection()
    priors: Annotated[
        tuple[str, ...],
        Before(_SomeOf(*MASS_PRIORS)),
        about(
            "Priors of m1 under each of which the best design is searched and compared.",
            typical='["uniform", "log-uniform", "cosmology"]',
            page="design.md#the-prior-is-part-of-the-question",
        ),
    ] = ()
    maximin: Annotated[
        Flag,
        about(
            "Whether the best design is that which loses least under the worst of the priors.",
            page="design.md#the-prior-is-part-of-the-question",
        ),
    ] = False
    vary: Annotated[
        dict[str, Varied],
        Before(flat, json_schema_input_type=dict[str, Any]),
        about(
            "Keys of layout, lasers, detector and target that may vary, each with a range or a "
            "list of choices.",
            typical='"layout.length_cm" = { low = 0.5, high = 5.0, scale = "log" }',
        ),
    ] = {}
    windows: Annotated[
        tuple[WindowSection, ...],
        Before(
            _entries,
            json_schema_input_type=tuple[WindowSection, ...]
            | WindowSection
            | dict[str, WindowSection],
        ),
        about("One or two stretches of trigger angles that move as a whole."),
    ] = ()
    constraints: Annotated[
        tuple[Word, ...],
        Before(_entries, json_schema_input_type=tuple[Word, ...] | dict[str, Word]),
        about("What a design must satisfy.", typical='["volume_cm3 <= 6.3"]'),
    ] = ()
    at_m1_meV: Annotated[
        tuple[Annotated[float, Before(Number("meV", 0, 1e9))], ...] | None,
        Before(as_tuple),
        about(
            "True masses at which the best design and the study's own are told in meV, "
            "probabilities and time; [] for none.",
            unset="those of 5, 20 and 50 that the prior allows",
            page="design.md#promise-and-outcome",
        ),
    ] = None
    confirm: Annotated[
        int,
        Before(Whole(0, 100_000)),
        about(
            "Mock data sets of each of these, analysed in full, that the promise is compared "
            "with; 0: none.",
            page="design.md#promise-and-outcome",
        ),
    ] = 0
    equal_time: Annotated[
        Flag,
        about(
            "Whether it is also told how long the study's own design would have to measure to be "
            "worth the best; it takes as long as a dozen appraisals for each mass.",
            page="design.md#promise-and-outcome",
        ),
    ] = True
    cost: Annotated[CostSection, about("Prices, in a unit of the study's own.")] = CostSection()
    finite_crystal: Annotated[
        Flag,
        about(
            "Whether the finite crystal counts in the search, too, and not only in the last "
            "appraisal.",
            page="design.md#crystals-and-lasers-that-can-be-built",
        ),
    ] = False
    effects: Annotated[
        int,
        Before(Whole(0, 100_000)),
        about(
            "Designs by which it is told what each dimension matters, besides the trials; half are "
            "held out. 0: it is not told.",
            page="design.md#what-each-dimension-matters",
        ),
    ] = 100
    comparisons: Annotated[
        Flag, about("Whether best and own design are judged in each preset, and with all known.")
    ] = True
    robustness: Annotated[
        Flag,
        about("Whether tolerances of the best design are sought.", page="design.md#robustness"),
    ] = False
    follow: Annotated[
        tuple[Word, ...],
        Before(as_tuple),
        about(
            "Keys that designs leave out, so that they follow from a design's own; written into "
            "a resolved study.",
            page="design.md#what-designs-inherit",
        ),
    ] = ()
    robustness_loss: Annotated[
        float,
        Before(Number(low=0, high=10, open_low=True)),
        about("Loss of utility that a tolerance may cost, nat.", page="design.md#robustness"),
    ] = 0.1
    sequential: Annotated[
        SequentialSection | None,
        about(
            "One measurement after the other, each chosen from what is known by then.",
            unset="no sequence",
            page="design.md#choosing-the-next-measurement",
        ),
    ] = None

    @property
    def searched(self) -> bool:
        """Whether there is anything to search."""
        return bool(self.vary or self.windows)

    @property
    def parts(self) -> list[tuple[str, int]]:
        """Optimizer and repeat of each task; more repeats begin with the fewer."""
        names = (self.optimizer, *self.baselines)
        return [(name, repeat) for repeat in range(self.repeats) for name in names]


def check_wanted(section: OptimizeSection) -> None:
    """Refuse a search beside itself, what is less the better by cost, and too few truths.

    Raises
    ------
    ConfigError
    """
    if section.optimizer in section.baselines:
        allowed = f"others than optimize.optimizer, {section.optimizer}"
        hint = "optimize.repeats searches again"
        raise ConfigError("optimize.baselines", list(section.baselines), allowed, hint)
    smaller = [n for n in section.utility if direction(n) < 0]
    if section.per_cost and smaller:
        allowed = f"false with {smaller[0]}, of which less is better"
        raise ConfigError("optimize.per_cost", True, allowed)
    if section.maximin and len(section.priors) < 2:
        allowed = "false without optimize.priors, two or more of which are compared"
        raise ConfigError("optimize.maximin", True, allowed)
    if section.maximin and len(section.utility) > 1:
        allowed = "false with several objectives, of which no design is best"
        raise ConfigError("optimize.maximin", True, allowed)
    if section.confirm == 1:
        allowed = "0, or >= 2: one data set has no standard error"
        raise ConfigError("optimize.confirm", 1, allowed)
    if section.confirm and section.at_m1_meV == ():
        allowed = "0 with optimize.at_m1_meV = [], masses at which it could be confirmed"
        raise ConfigError("optimize.confirm", section.confirm, allowed)
    odds = section.prior_odds.model_dump()
    if not any(odds[f"{o}_{n}"] for o in section.orderings for n in section.natures):
        allowed = "odds > 0 of at least one hypothesis of optimize.orderings and natures"
        raise ConfigError("optimize.prior_odds", odds, allowed)
    fewest = 2 * len(section.orderings) * len(section.natures)
    for key in ("truths", "final_truths"):
        if section.truth == "prior" and getattr(section, key) < fewest:
            allowed = f">= {fewest}, two for each hypothesis: else there is no error"
            raise ConfigError(f"optimize.{key}", getattr(section, key), allowed)
