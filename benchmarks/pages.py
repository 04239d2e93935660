"""``python -m benchmarks.pages``: write all tables and pictures of all pages, from the records.

A page is written by hand, but for what stands between ``<!-- begin MARKER -->`` and
``<!-- end MARKER -->``: that is a section which a benchmark makes of its records.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.records import RESULTS, ROOT

NAMES = (
    "accuracy_tests",
    "candidate_weights",
    "competitions",
    "core",
    "coverage",
    "darts_models",
    "default_fit",
    "demo",
    "dynamics",
    "econometric",
    "explosions",
    "fev",
    "fuzz",
    "in_context",
    "kills",
    "long_horizon",
    "missing_values",
    "options",
    "pretraining_study",
    "scaling",
    "soak",
    "targets",
    "update_predict",
    "zero_shot",
)
"""The benchmarks, each a module or package of that name that holds a `BENCHMARK`."""

_SECTION = re.compile(r"<!-- begin (?P<marker>.+?) -->(?P<text>.*?)<!-- end (?P=marker) -->", re.S)


def pages() -> list[Path]:
    """Return the pages on which sections may stand."""
    return [
        ROOT / "README.md",
        *sorted((ROOT / "docs").glob("*.md")),
        *sorted(RESULTS.glob("*.md")),
    ]


def benchmark(name: str) -> Any:
    """Return a benchmark by its name; its module and what that needs are imported now."""
    return importlib.import_module(f"benchmarks.{name}").BENCHMARK


def sections_on(page: str) -> Iterator[tuple[str, str]]:
    """Yield marker and text of each section on a page."""
    for found in _SECTION.finditer(page):
        yield found["marker"], found["text"].strip()


def with_sections(page: str, sections: Mapping[str, str]) -> str:
    """Return a page with these sections in their places; sections of other markers stay."""

    def replaced(found: re.Match[str]) -> str:
        marker = found["marker"]
        if marker not in sections:
            return found[0]
        return f"<!-- begin {marker} -->\n\n{sections[marker].strip()}\n\n<!-- end {marker} -->"

    return _SECTION.sub(replaced, page)


def write_sections(sections: Mapping[str, str]) -> None:
    """Put sections into their places on the pages.

    Raises
    ------
    ValueError
        If a section has no place, or more than one.
    """
    texts = {path: path.read_text(encoding="utf-8") for path in pages()}
    places = [marker for text in texts.values() for marker, _ in sections_on(text)]
    for marker in sections:
        if places.count(marker) != 1:
            raise ValueError(
                f"section {marker!r} has {places.count(marker)} places on the pages, wanted 1: "
                f"write '<!-- begin {marker} -->' and '<!-- end {marker} -->' where it shall stand"
            )
    for path, text in texts.items():
        written = with_sections(text, sections)
        if written != text:
            path.write_text(written, encoding="utf-8")


def as_mebibytes(size: float | None) -> str:
    """Return a number of bytes as a table tells it; None stands for what was not measured."""
    return "not measured" if size is None else f"{size / 2**20:.0f} MiB"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table that reads well both as Markdown and as it stands."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True)) + " |"

    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([line(header), rule, *(line(row) for row in rows)])


if __name__ == "__main__":
    for name in NAMES:
        benchmark(name).write_pages()
