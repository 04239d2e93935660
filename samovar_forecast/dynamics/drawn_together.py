"""Readings of several histories, whose common forecasters are asked of all of them at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from samovar_forecast.dynamics.average_map import jacobians_of_each
from samovar_forecast.dynamics.forecast_map import Part
from samovar_forecast.dynamics.jacobian import Jacobian

if TYPE_CHECKING:
    from samovar_forecast.dynamics.forecast_reading import ForecastReading

WINDOWS_TOGETHER = 64
"""Windows of several histories that are asked of at once."""


class DrawnTogether:
    """Readings of histories drawn together: what is asked of a reading is asked of its neighbours.

    A forecaster that several readings share answers for many windows in little more time than for
    a single window. Answers are handed out once.

    Parameters
    ----------
    readings : sequence of ForecastReading
        On the same times.
    """

    def __init__(self, readings: Sequence[ForecastReading]) -> None:
        self._readings = readings
        self._answers: dict[tuple[int, bytes, bytes, str, bool], Iterator[Jacobian]] = {}
        for reading in readings:
            reading._answered_by = self

    def jacobians_of(
        self,
        reading: ForecastReading,
        positions: np.ndarray,
        weights: np.ndarray,
        part: Part,
        to_the_end: bool,
    ) -> Iterator[Jacobian]:
        """Return the Jacobians of a reading at rows of its history; see ``jacobians_at``."""
        question = (positions.tobytes(), weights.tobytes(), part, to_the_end)
        number = next(place for place, own in enumerate(self._readings) if own is reading)
        if (number, *question) not in self._answers:
            n_together = max(1, WINDOWS_TOGETHER // len(positions))
            some = range(number, min(number + n_together, len(self._readings)))
            found = jacobians_of_each(
                [self._readings[place]._map for place in some],
                [self._readings[place].data.windows(positions, to_the_end) for place in some],
                weights,
                reading.data.units(),
                part,
            )
            self._answers.update(
                ((place, *question), own) for place, own in zip(some, found, strict=True)
            )
        return self._answers.pop((number, *question))
