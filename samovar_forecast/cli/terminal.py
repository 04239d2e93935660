"""What stands in the terminal: paragraphs as wide as the window, complaints apart."""

from __future__ import annotations

import shutil
import sys
import textwrap

WIDEST = 100


def width() -> int:
    """Return the characters of a line."""
    return min(WIDEST, max(40, shutil.get_terminal_size((WIDEST, 24)).columns))


def say(*paragraphs: str) -> None:
    """Print paragraphs."""
    for paragraph in paragraphs:
        print(textwrap.fill(paragraph, width(), subsequent_indent="  ", break_long_words=False))


def complain(message: str) -> None:
    """Print what went wrong, where it does not mix with results."""
    print(textwrap.fill(f"samovar-forecast: {message}", width()), file=sys.stderr)
