"""What the searches of a design found together."""

from pathlib import Path
from typing import Any

import pytest

from renp_infer.design import utility
from renp_infer.design.search import Trial
from renp_infer.design.utility import Utility
from renp_infer.records import Experiment
from renp_infer.study.load import load_study
from renp_infer.verbs.optimize.gains import gains
from renp_infer.verbs.optimize.optimum import summary
from renp_infer.verbs.optimize.parts import Appraisal, Chosen, Found
from tests.toys.design import ToyAppraiser
from tests.verbs.optimize.test_work import CRYSTAL, HEAD, write


def test_less_of_what_should_be_small_is_a_gain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The longer crystal has the smaller error: of the gains, and of the search's result."""

    class Shorter(ToyAppraiser):
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def __call__(self, experiment: Experiment, names: Any) -> dict[str, Utility]:
            return {"sd_m1": Utility(10.0 - experiment.layout.length_cm, 0.1)}

    monkeypatch.setattr(utility, "Appraiser", Shorter)
    study = load_study(write(tmp_path, HEAD + CRYSTAL), ["optimize.utility=sd_m1"])
    own = study.experiment.layout.length_cm
    rows = gains(study, {"layout.length_cm": 3.5})
    assert [row.gain for row in rows] == pytest.approx([3.5 - own] * len(rows))
    assert {(row.utility.value, row.reference.value) for row in rows} == {(6.5, 10.0 - own)}
    found = summary(study, [_searched(3.5, own), _searched(3.0, None)])
    assert (found.search.value, found.last.of("sd_m1").value) == (6.4, 6.5)
    assert found.gain == pytest.approx(3.5 - own)


def _searched(length: float, own: float | None) -> Found:
    """A search that ended with a crystal of a length; the first has appraised the study's own."""
    keys = {"layout.length_cm": length}
    trial = Trial("start", (0.5,), keys, {"sd_m1": 9.9 - length}, {"sd_m1": 0.1})
    last = Appraisal({"sd_m1": Utility(10.0 - length, 0.1)})
    reference = None if own is None else Appraisal({"sd_m1": Utility(10.0 - own, 0.1)})
    return Found("skopt", 0, (trial,), Chosen(trial, keys, ()), last, reference)
