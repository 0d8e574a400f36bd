"""What a study can be asked, one folder each."""

from __future__ import annotations

from pathlib import Path


def folders(file: str) -> list[str]:
    """Names of the verbs whose folder has a file."""
    places = [Path(place) for place in __path__]
    return sorted(path.parent.name for place in places for path in place.glob(f"*/{file}"))
