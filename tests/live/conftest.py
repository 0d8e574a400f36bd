"""Campaigns of one study share what they know of it, as those of one process would be slow to."""

import pytest

from renp_infer.engine.tasks import fingerprint
from renp_infer.live import campaign
from renp_infer.verbs.sequential.advice import Adviser

ADVISERS = {}


def adviser(study):
    key = fingerprint(study.resolved)
    if key not in ADVISERS:
        ADVISERS[key] = Adviser(study)
    return ADVISERS[key]


@pytest.fixture(autouse=True, scope="module")
def one_adviser():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(campaign, "Adviser", adviser)
        yield
