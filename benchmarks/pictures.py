"""Pictures of the records on the pages, each with the digest of what it was drawn from.

A picture is written anew where its records or the module that draws it have changed, and a test
holds the files against both. They are SVG of the width of a phone: two stand side by side on a
wide screen.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.records import ROOT

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STATIC = ROOT / "docs" / "static" / "performance"
WIDTH = 3.35
"""Inches; 322 pixels of a page."""
_DIGEST = re.compile(r"records (?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True)
class Picture:
    """What is drawn, how, and in words.

    Attributes
    ----------
    drawn : object
        The part of the records that is drawn, as JSON holds it.
    draw : callable
        Returns a figure of it; a function of a module.
    words : str
        What the picture shows, for who does not see it.
    """

    drawn: Any
    draw: Callable[[Any], Figure]
    words: str

    @property
    def digest(self) -> str:
        """The digest of what is drawn and of the module that draws."""
        source = inspect.getsource(sys.modules[self.draw.__module__])
        text = json.dumps([self.drawn, self.words, source], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def path_of(name: str) -> Path:
    """Return where a picture lies."""
    return STATIC / f"{name}.svg"


def digest_in(path: Path) -> str | None:
    """Return the digest that a picture was written with; None where there is no such picture."""
    found = _DIGEST.search(path.read_text(encoding="utf-8")) if path.exists() else None
    return None if found is None else found["digest"]


def write_pictures(pictures: Mapping[str, Picture]) -> None:
    """Draw the pictures whose files belong to other records, or are not there."""
    for name, picture in pictures.items():
        path = path_of(name)
        if digest_in(path) != picture.digest:
            path.parent.mkdir(parents=True, exist_ok=True)
            save(picture, path)


def save(picture: Picture, path: Path) -> None:
    """Draw a picture into a file, the same bytes for the same records."""
    import matplotlib as mpl
    from matplotlib import pyplot as plt

    own = {"font.size": 8, "svg.hashsalt": path.stem, "axes.titlesize": "medium"}
    with mpl.rc_context({**mpl.rcParamsDefault, **own, "backend": "agg"}):
        figure = picture.draw(picture.drawn)
        about = {"Date": None, "Creator": None, "Description": f"records {picture.digest}"}
        figure.savefig(path, metadata=about)
        plt.close(figure)
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")


def shown(pictures: Mapping[str, Picture]) -> str:
    """Return the pictures as Markdown of a page in ``docs``, one beside the other."""
    folder = STATIC.relative_to(ROOT / "docs").as_posix()
    return "\n".join(
        f"![{picture.words}]({folder}/{name}.svg)" for name, picture in pictures.items()
    )
