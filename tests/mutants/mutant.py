from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Mutant:
    """One mechanism, and what is left when it is taken out."""

    guarantee: str
    """`G1` to `G28`."""
    what: str
    """What is missing then."""
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    """Node ids: each fails by itself."""

    @property
    def name(self) -> str:
        return f"{self.guarantee} without {self.what}"

    def apply(self, root: Path) -> None:
        """Change the file below `root`. Raise ValueError when the text does not stand there exactly once."""
        path = root / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.file} has the text {text.count(self.old)} times.")
        path.write_text(text.replace(self.old, self.new))
