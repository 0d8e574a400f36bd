"""``python -m renp_infer``, and what ``renp`` starts with: signals before heavy imports."""

from __future__ import annotations

import sys


def main() -> None:
    """Entry point of ``renp``."""
    try:
        from renp_infer.app.cli import main as command_line
    except KeyboardInterrupt:
        sys.stderr.write("renp: interrupted before anything was done\n")
        sys.exit(130)
    command_line()


if __name__ == "__main__":
    main()
