"""How the members of a forecast came about, and the linear forecast of earlier origins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from samovar_forecast.linear.following import FollowingMap
from samovar_forecast.linear.forecast import LinearForecast


@dataclass(frozen=True)
class EarlierForecasts:
    """Linear forecasts on expanding windows, estimated when the first of them is asked for.

    Parameters
    ----------
    newest : LinearForecast
        Earlier ones have its effect of covariates.
    n_rows : int
        Rows after which the newest stands.
    estimate : callable
        Gives the maps of the earlier ones, from 0 rows on.
    """

    newest: LinearForecast
    n_rows: int
    estimate: Callable[[], FollowingMap]

    @cached_property
    def _maps(self) -> FollowingMap:
        return self.estimate()

    def at(self, n_known: np.ndarray, newest: LinearForecast) -> list[LinearForecast]:
        """Return the forecast that stands after each of some numbers of rows, (B,)."""
        is_newest = n_known >= self.n_rows
        if is_newest.all():
            return [newest] * len(n_known)
        places = np.where(is_newest, -1, self._maps.places(n_known))
        earlier = {
            place: replace(self.newest, map=self._maps.at_end(place))
            for place in set(places[~is_newest].tolist())
        }
        return [earlier.get(place, newest) for place in places.tolist()]


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
