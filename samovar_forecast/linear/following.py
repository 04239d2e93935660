"""A candidate whose coefficients follow the rows: at each origin what the rows up to there make.

Letters: B windows, C series, E numbers of rows, n time steps, s steps ahead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np

from samovar_forecast.linear.linear_map import LinearMap


@dataclass(frozen=True)
class FollowingMap(LinearMap):
    """The map after some rows, which knows those after other numbers of rows too.

    It averages as the map that it is; along the rows, each origin has its own.

    Attributes
    ----------
    ends : int array of shape (E,)
        Numbers of rows after which there is a map, increasing.
    at_end : callable
        Gives the map after each of them, by its place.
    """

    ends: np.ndarray
    at_end: Callable[[int], LinearMap]

    @classmethod
    def of_last(cls, ends: np.ndarray, at_end: Callable[[int], LinearMap]) -> FollowingMap:
        """Return the map after the last of some numbers of rows."""
        last = at_end(len(ends) - 1)
        own = {field.name: getattr(last, field.name) for field in fields(LinearMap)}
        return cls(**own, ends=ends, at_end=at_end)

    def until(self, n_rows: int) -> FollowingMap:
        """Return the map after some rows, at least as many as the first of ``ends``."""
        return self.of_last(self.ends[: int(self.places(n_rows)) + 1], self.at_end)

    def after(self, n_rows: int) -> LinearMap:
        """Return the newest map that knows no row after some rows."""
        return self.at_end(int(self.places(n_rows)))

    def places(self, n_rows: int | np.ndarray) -> np.ndarray:
        """Return the place of the newest map that knows no row after some rows."""
        return np.asarray(np.searchsorted(self.ends, n_rows, side="right") - 1)

    def along(self, values: np.ndarray, origins: np.ndarray) -> np.ndarray:
        """Forecast from many rows of the rows that the maps were estimated on; (B, s, C).

        Parameters
        ----------
        values : array of shape (n, C)
            NaN where a value is missing.
        origins : int array of shape (B,)
            Number of rows known at each origin, at least the first of ``ends``.
        """
        ahead = np.empty((len(origins), *self.intercept.shape))
        places = self.places(origins)
        for place in np.unique(places):
            some = places == place
            ahead[some] = self.at_end(int(place)).along(values, origins[some])
        return ahead
