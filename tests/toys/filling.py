"""A run on a disk that is full, and grows: ``unshare -rm python filling.py MOUNT STUDY``.

Prints exit code and what was said, once for each size of the disk, until there is room.
"""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys

from renp_infer.app.cli import execute

PAGES, GROWTH = 3, 1.15
STUDY = """schema = 1
name = "full"
[layout]
theta_s_deg = [50.0, 60.0]
[lasers]
chi_squared = 1e-3
[simulate]
datasets = 2500
"""


def fill(mount: str, study: str) -> None:
    """Do the run again and again, each time with somewhat more room."""
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mount], check=True)
    pages, code = float(PAGES), 4
    while code != 0:
        size = f"remount,size={int(pages) * 4}k"
        subprocess.run(["mount", "-o", size, mount], check=True)
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = execute(["run", study, "--out", f"{mount}/run", "--quiet"])
        left = subprocess.run(["find", mount, "-name", ".tmp-*"], capture_output=True, check=True)
        facts = {"code": code, "err": err.getvalue(), "left": left.stdout.decode()}
        sys.stdout.write(json.dumps(facts) + "\n")
        pages = max(pages * GROWTH, pages + 1)


if __name__ == "__main__":
    fill(*sys.argv[1:])
