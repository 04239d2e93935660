"""The linear forecast as it was at earlier origins: by the rows that were known there alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from samovar_forecast.linear.forecast import LinearForecast


@dataclass(frozen=True)
class EarlierForecasts:
    """Linear forecasts on expanding windows, estimated when the first of them is asked for.

    Parameters
    ----------
    ends : tuple of int
        Numbers of rows after which a forecast was estimated, increasing, from 0.
    n_rows : int
        Rows after which the newest forecast stands.
    estimate : callable
        Gives the forecast of each end.
    """

    ends: tuple[int, ...]
    n_rows: int
    estimate: Callable[[], Sequence[LinearForecast]]

    @cached_property
    def _found(self) -> Sequence[LinearForecast]:
        return self.estimate()

    def at(self, n_known: np.ndarray, newest: LinearForecast) -> list[LinearForecast]:
        """Return the forecast that stands after each of some numbers of rows, (B,)."""
        places = np.searchsorted(self.ends, n_known, side="right") - 1
        return [
            newest if known >= self.n_rows else self._found[place]
            for known, place in zip(n_known, places, strict=True)
        ]
