"""``python -m renp_infer``, and what ``renp`` starts with: signals before heavy imports."""

from __future__ import annotations

import gc
import sys

COLLECTED_AFTER = 100_000
"""Objects after which cycles are looked for. Imports make many, none of which is garbage: with
Python's own number a short command spends a good part of its time looking."""


def main() -> None:
    """Entry point of ``renp``."""
    gc.set_threshold(COLLECTED_AFTER, *gc.get_threshold()[1:])
    try:
        from renp_infer.app.cli import main as command_line
    except KeyboardInterrupt:
        sys.stderr.write("renp: interrupted before anything was done\n")
        sys.exit(130)
    command_line()


if __name__ == "__main__":
    main()
