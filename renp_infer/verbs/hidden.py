"""What a fit of a blinded study may let out: nothing but what it returns."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from renp_infer.engine.tasks import fingerprint
from renp_infer.errors import BlindedError
from renp_infer.study.blinding import OF_QUESTION, Secret, content_of
from renp_infer.verbs.inputs import question_of

if TYPE_CHECKING:
    from renp_infer.study.study import Study

BLINDED_ANSWER = "Blinded: the answer is hidden until renp unblind shows it."
"""What a run that hides says in the place of its answer."""
BLINDED = "renp_blinded"
"""Where a file has what a blinded fit publishes, as JSON."""


def secret_in(study: Study) -> Secret:
    """Secret of a blinded study, for the question that it asks.

    Raises
    ------
    ConfigError
        If its key cannot be read where the work is done.
    """
    assert study.blinding is not None
    return Secret(content_of(study.blinding), fingerprint(question_of(study)))


@contextlib.contextmanager
def hidden() -> Iterator[None]:
    """Let no word of a fit be seen: neither what libraries print, log or warn, nor errors.

    Raises
    ------
    BlindedError
        In the place of any error, of which it has the class alone.
    """
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    except Exception as error:
        raise BlindedError(type(error).__name__) from None
    finally:
        logging.disable(level)


def blinded_part(study: Study) -> dict[str, Any]:
    """What a task of a blinded study is about besides."""
    if study.blinding is None:
        return {}
    return {"blinded_width_meV": study.blinding.width_meV, "offsets_of": OF_QUESTION}
