"""The same bits from code that is compiled now and from code that was before."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytensor
import pytest

from renp_infer.inference.samplers import nuts
from renp_infer.inference.samplers.model import build_model
from renp_infer.inference.samplers.nuts import compile_model
from tests.toys.likelihoods import toy_likelihood

POINTS = """
import hashlib
import numpy as np
from renp_infer.inference.samplers.model import build_model
from renp_infer.inference.samplers.nuts import compile_model
from renp_infer.study.hypotheses import hypothesis_of, own_hypothesis
from renp_infer.study.load import load_study
from renp_infer.study.observed import data_of

keys = {"layout.theta_s_deg": {"start": 140.0, "stop": 148.0, "points": 9}}
study = load_study("edge-layout-normalised", keys | {"lasers.chi_squared": 1e-3})
model = hypothesis_of(study, own_hypothesis(study))
compiled = compile_model(build_model(model.likelihood(data_of(study))))
rng, found = np.random.default_rng(1), hashlib.sha256()
for _ in range(200):
    density, gradient, vector = compiled(rng.standard_normal(compiled.size))
    for part in (np.array(density), gradient, vector):
        found.update(np.ascontiguousarray(part).tobytes())
print(found.hexdigest())
"""


@pytest.mark.slow
def test_a_density_is_the_same_compiled_now_and_read_from_the_cache(tmp_path: Path) -> None:
    flags = f"base_compiledir={tmp_path}"
    path = os.pathsep.join(sys.path)
    found = [
        subprocess.run(
            [sys.executable, "-c", POINTS],
            env=os.environ | {"PYTENSOR_FLAGS": flags, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for _ in range(2)
    ]
    assert any(tmp_path.rglob("*.nbc"))  # the first one left its code there
    assert found[0] == found[1] != ""


def test_sums_keep_their_order_and_the_setting_is_left_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, seen = pytensor.config.numba__fastmath, []
    compile_graph = nuts.compile_graph

    def noting(*words: object, **keys: object) -> object:
        seen.append(pytensor.config.numba__fastmath)
        return compile_graph(*words, **keys)

    monkeypatch.setattr(nuts, "compile_graph", noting)
    monkeypatch.setattr(nuts, "_codes", type(nuts._codes)(maxlen=8))
    likelihood, _ = toy_likelihood(0.02, phases="fixed")
    compiled = compile_model(build_model(likelihood))
    assert seen == [False] and pytensor.config.numba__fastmath == before
    assert np.isfinite(compiled(np.zeros(compiled.size))[0])
