"""Answers with bands: the same question, asked of histories that the reading draws itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from samovar_forecast.dynamics.bootstrap import resampled
from samovar_forecast.dynamics.forecast_reading import ForecastReading
from samovar_forecast.exceptions import ConfigurationError

_R = TypeVar("_R", bound="BandedReading")
_Result = TypeVar("_Result", bound=Any)


class BandedReading(ForecastReading):
    """A network on a history whose answers can carry bands.

    All answers have the same bands: the question is put to :func:`bootstrap.resampled` readings,
    and what a draw is off the estimate on its own history is taken off the estimate.
    """

    def _with_bands(
        self: _R,
        compute: Callable[[_R], _Result],
        bands: str | None,
        level: float,
        n_draws: int,
        random_state: int | None,
        *,
        limits: tuple[float, float] | None = None,
    ) -> _Result:
        """Return an answer, with draws where bands are asked for.

        The draws are ``estimate - (drawn - estimate)``: their quantiles are Hall's interval (Hall
        1992, The Bootstrap and Edgeworth Expansion, section 1.3; Luetkepohl 2005, appendix D.3).
        The estimate is drawn to something simple, and so is each draw, to the same side: taken as
        they come, draws would be off twice.

        Parameters
        ----------
        compute : callable
            A reading to its answer, with an ``estimate`` and room for ``draws`` and ``level``.
        bands : {None, "bootstrap"}
        level : float
        n_draws : int
        random_state : int or None
        limits : tuple of float, optional
            Smallest and largest number that the answer can hold.

        Raises
        ------
        ConfigurationError
            If there are no such bands, or no draws.
        """
        if bands not in (None, "bootstrap"):
            raise ConfigurationError(
                "there are no such bands", found=repr(bands), wanted=[None, "bootstrap"]
            )
        found = compute(self)
        if bands is None:
            return found
        if n_draws < 1:
            raise ConfigurationError("bands want draws", found=n_draws, wanted="1 or more")
        readings = resampled(self, n_draws, random_state=random_state)
        drawn = np.stack([compute(reading).estimate for reading in readings])
        draws = 2 * found.estimate - drawn
        if limits is not None:
            draws = draws.clip(*limits)
        return replace(found, draws=draws, level=level)
