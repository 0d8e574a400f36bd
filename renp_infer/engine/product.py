"""What a verb leaves in a run directory."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class Product:
    """A result by name.

    Attributes
    ----------
    name : str
    file : str
        Name of the merged result; its suffix is that of the tasks' files.
    """

    name: ClassVar[str]
    file: ClassVar[str]

    @property
    def suffix(self) -> str:
        """Kind of file that its results are."""
        return Path(self.file).suffix
