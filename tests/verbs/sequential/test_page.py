"""The part of the report about campaigns shows what they came to."""

import numpy as np
import pytest

from renp_infer.design.sequences.beliefs import Atlas, Beliefs
from renp_infer.inference.priors.prior import LogUniform, Uniform
from renp_infer.verbs.infer.words import mass_words
from renp_infer.verbs.sequential.advice import mass_estimate
from renp_infer.verbs.sequential.page import campaign_rows
from renp_infer.verbs.sequential.result import CampaignsAbout
from renp_infer.verbs.sequential.summary import AtTruth, CampaignSummary, Medians, SequenceMedians


def test_a_layout_without_room_for_its_moves_has_no_numbers() -> None:
    blank = Medians(None, None, None)
    full = SequenceMedians(1.5, 2.0, 0.7, measurements=9.0, elapsed_s=95.0, pulls=(0.1,))
    truth = AtTruth(50.0, full, {"study": blank, "fixed": blank})
    about = CampaignsAbout(
        name="toy",
        goal="m1",
        lookahead=2,
        setting_s=5.0,
        total_s=100.0,
        truth="normal dirac",
        angles={"study": 61, "fixed": 0},
        missing=1,
        preset="corrected",
        reference_snr=100.0,
        reference="somewhere",
    )
    assert CampaignsAbout.of(about.to_attributes()) == about
    assert campaign_rows(CampaignSummary(about, 3, (truth,))) == [
        ("50", "sequence", "1.5", "2", "0.7", "9"),
        ("50", "own layout", "–", "–", "–", "61"),
    ]


def atlas_of(prior: Uniform | LogUniform, states: int = 40) -> Atlas:
    """States of equal probability at the middles of as many equal parts of a prior."""
    ends = np.array([prior.from_unit(np.array([x])) for x in (-9.0, 9.0)])
    space = np.geomspace if isinstance(prior, LogUniform) else np.linspace
    m1 = space(*ends, states)
    nothing = np.zeros((states, 1))
    return Atlas(
        np.zeros(1), nothing, nothing[:, :, None], m1, 0.5 * np.gradient(m1),
        np.full(states, -np.log(states)), {},
    )  # fmt: skip


@pytest.mark.parametrize("prior", [Uniform(0.0, 450.0), LogUniform(0.1, 450.0)])
def test_before_any_data_the_mass_is_not_measured(prior: Uniform | LogUniform) -> None:
    atlas = atlas_of(prior)
    found = mass_estimate(atlas.start(), atlas, prior)
    assert not found.measured and "lower" in found.reaches
    said = mass_words(found, prior)
    assert said.startswith("The mass is not measured") and "±" not in said


def test_ends_of_a_prior_may_be_those_of_an_array() -> None:
    """What constraints leave of the mass is a table, whose ends are NumPy's numbers."""
    atlas = atlas_of(Uniform(0.0, 450.0))
    ends = np.array([0.0, 450.0])
    found = mass_estimate(atlas.start(), atlas, Uniform(ends[0], ends[1]))
    assert found == mass_estimate(atlas.start(), atlas, Uniform(0.0, 450.0))
    assert found.reaches == ("lower", "upper")


def test_what_is_believed_has_the_quantiles_of_its_draws(rng: np.random.Generator) -> None:
    """A sum of Gaussians against draws of it."""
    prior = Uniform(0.0, 450.0)
    atlas = atlas_of(prior)
    weights = rng.dirichlet(np.full(40, 0.3))
    beliefs = Beliefs(
        np.log(weights), rng.normal(size=(40, 1)), rng.uniform(0.1, 0.9, (40, 1, 1)), np.zeros(40)
    )
    found = mass_estimate(beliefs, atlas, prior)
    chosen = rng.choice(40, size=200_000, p=weights)
    z = beliefs.means[chosen, 0] + np.sqrt(beliefs.covariances[chosen, 0, 0]) * rng.normal(
        size=chosen.size
    )
    draws = atlas.m1_meV[chosen] + atlas.rest_meV[chosen] * z
    assert found.measured
    assert found.mean == pytest.approx(draws.mean(), abs=4.5 * found.sd / np.sqrt(draws.size))
    for limit, level in ((found.median, 0.5), (found.upper_90, 0.9), (found.upper_95, 0.95)):
        error = np.sqrt(level * (1.0 - level) / draws.size)
        assert np.mean(draws < limit) == pytest.approx(level, abs=4.5 * error)
