"""How the members of a forecast came about, and the linear forecast of earlier origins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

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


class Estimation(NamedTuple):
    """How the members of a forecast came about."""

    again: Callable[[np.ndarray], LinearForecast] | None
    """A history (n, C) in units of the data to the linear forecast, estimated on it in closed form;
    None if there is no such member."""
    rows: Mapping[str, str]
    """By the name of a member, the rows that it learned from, in words."""
    earlier: Callable[[np.ndarray], EarlierForecasts] | None = None
    """A history likewise to the linear forecasts of its origins, each estimated on the rows up to
    there; None if the newest stands at all of them."""

    def with_newest_alone(self) -> Estimation:
        """Return the estimation of members that are the same at all origins."""
        rows = dict(self.rows)
        if "linear" in rows:
            rows["linear"] = "the rows of the fit, the same at all origins"
        return self._replace(earlier=None, rows=rows)
