"""What every answer of the dynamic VAR offers: a table, a figure, and bands where there are draws.

A result knows the name of the function of :mod:`samovar_forecast.plots` that draws it, and nothing
of drawing. The package of figures is imported when a figure is asked for, and not before.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.bands import interval

_R = TypeVar("_R", bound=Any)


def draw(function: str, *given: Any, **options: Any) -> Any:
    """Draw by a function of :mod:`samovar_forecast.plots`, and return its Axes.

    Parameters
    ----------
    function : str
        Its name.
    *given, **options
        Its arguments.

    Raises
    ------
    MissingPackageError
        If matplotlib is not installed.
    """
    from samovar_forecast import plots

    return getattr(plots, function)(*given, **options)


def together(parts: Sequence[_R]) -> _R:
    """Return answers from one origin each as an answer from all of them."""
    if len(parts) == 1:
        return parts[0]
    values = np.concatenate([part.values for part in parts])
    origins = tuple(itertools.chain.from_iterable(part.origins for part in parts))
    return replace(parts[0], values=values, origins=origins)


def way_of(result: Any) -> str:
    """Return how responses came about, and of which part of the derivative, in a few words."""
    is_whole = result.method == "iterated" or result.part == "total"
    return str(result.method if is_whole else f"{result.method} of the {result.part}")


LATEX = {"float_format": "%.4g", "escape": True}
"""How a table is written in LaTeX: names of series may hold ``%``, ``&``, ``_`` and ``$``."""


class Tabled:
    """An answer with a table."""

    def to_frame(self) -> pd.DataFrame:
        """Return the answer as a table."""
        raise NotImplementedError

    def to_latex(self, **options: Any) -> str:
        """Return `to_frame` as a LaTeX table; options are those of ``DataFrame.to_latex``."""
        return str(self.to_frame().to_latex(**{"index": False, **LATEX, **options}))


class Result(Tabled):
    """An answer with a table and a figure."""

    figure: ClassVar[str]
    """Function of :mod:`samovar_forecast.plots` that draws it."""

    def plot(self, *given: Any, **options: Any) -> Any:
        """Draw it by the function of :mod:`samovar_forecast.plots` that `figure` names.

        Parameters
        ----------
        *given, **options
            Further arguments of that function.

        Returns
        -------
        Axes or ndarray of Axes

        Raises
        ------
        MissingPackageError
            If matplotlib is not installed.
        """
        return draw(self.figure, self, *given, **options)


class BandedResult(Result):
    """An answer whose uncertainty stands in draws, where it is asked for."""

    draws: np.ndarray | None
    level: float
    bands: str | None

    def band(self, level: float | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return the pointwise lower and upper bound of `estimate`, see `bands.interval`.

        Parameters
        ----------
        level : float, optional
            By default that of the result.
        """
        return interval(self.draws, self.level if level is None else level)

    @property
    def _drawn(self) -> str:
        """What a short text says of the draws."""
        if self.draws is None:
            return ""
        return f", {len(self.draws)} {self.bands or ''} draws".replace("  ", " ")
