"""Where the fit of a rival hypothesis begins: among its expectations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from renp_infer.inference.hypothesis import ModelLike
from renp_infer.inference.likelihood import ResponseLike
from renp_infer.records import FloatArray, Parameters

_NEAREST = 2


class _Remembering:
    """A response that knows its first values by heart.

    Fits of a rival begin at points of its library, again and again.
    """

    def __init__(self, response: ResponseLike) -> None:
        self._response, self._known = response, dict[bytes, tuple[FloatArray, FloatArray]]()

    @property
    def theta_s(self) -> FloatArray:
        return self._response.theta_s

    def __call__(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._known.get(x.tobytes()) or self._response(x)

    def learn(self, x: FloatArray) -> FloatArray:
        """Remember a point (12,); its template (n,)."""
        return self._known.setdefault(x.tobytes(), self._response(x))[0]


class Library:
    """Expectations of a hypothesis, among which the fit of a rival begins.

    Parameters
    ----------
    hypothesis : ModelLike
    m1_meV : ndarray, shape (k,)
    phases : sequence
        Phase settings.
    """

    def __init__(
        self,
        hypothesis: ModelLike,
        m1_meV: FloatArray,
        phases: Sequence[tuple[float, float, float]],
    ) -> None:
        response = _Remembering(hypothesis.response)
        self.hypothesis = hypothesis.with_response(response)
        self._points = [hypothesis.at(float(m), p) for m in m1_meV for p in phases]
        arguments = [hypothesis.argument(hypothesis.values(p)) for p in self._points]
        fields = np.array([response.learn(x) for x in arguments])
        self._scale = float(np.max(np.abs(fields))) or 1.0
        self._fields = fields / self._scale
        centred = self._fields - self._fields.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(centred, axis=1, keepdims=True)
        self._shapes = centred / np.where(lengths > 0.0, lengths, 1.0)

    def nearest(self, data: FloatArray) -> list[Parameters]:
        """Points whose expectations are closest to data (n,), also up to amplitude and baseline."""
        field = data / self._scale
        plain = np.linalg.norm(self._fields - field, axis=1)
        shape = -self._shapes @ (field - field.mean())
        chosen = [int(k) for order in (plain, shape) for k in np.argsort(order)[:_NEAREST]]
        return [self._points[k] for k in dict.fromkeys(chosen)]
