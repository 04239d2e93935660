"""Answers with bands: the same question, asked of histories that the reading draws itself.

The forecast is drawn to something simple, so an answer is off its truth, and by a share of what
the truth is off the simple. Histories that follow the reading show the loss; but they start from
what is left, so their loss is too small, and their answers move less than the truth behind them.
Half of the histories therefore follow the reading with the loss added back. By how much their
answers gain says which share of a change of the truth an answer keeps (a linear function of bias,
MacKinnon and Smith 1998, Journal of Econometrics 85, section 3). A band is wider by its inverse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import numpy as np

from samovar_forecast.arguments import (
    check_choice,
    check_level,
    generator_of,
    is_whole,
)
from samovar_forecast.dynamics.bands import fewest_draws
from samovar_forecast.dynamics.bootstrap import (
    newest_dynamics,
    one_step_dynamics,
    resampled,
    stable_share,
)
from samovar_forecast.dynamics.local_draws import LocalDraws
from samovar_forecast.dynamics.path_reading import PathReading
from samovar_forecast.exceptions import ConfigurationError

_R = TypeVar("_R", bound="BandedReading")
_Result = TypeVar("_Result", bound=Any)

DRAWS = {"local": 199, "bootstrap": 39}
"""Kinds of bands, and how many draws they have by default."""

LEAST_DRAWS = {"local": 2, "bootstrap": 4}
"""So many draws at least, whatever the level: two in each half of those of the reading."""

LEAST_KEPT = 0.4
"""Share of a change of the truth that an answer is taken to keep at least."""


class BandedReading(PathReading):
    """A network on a history whose answers can carry bands.

    All answers have the same bands. Those of the process are the answers of VARs on the recent
    rows. For those of the reading the question is put to :func:`bootstrap.resampled` readings, and
    what a draw is off the estimate on its own history is taken off the estimate.
    """

    def _with_bands(
        self: _R,
        compute: Callable[[_R], _Result],
        bands: str | None,
        level: float,
        n_draws: int | None,
        random_state: int | None,
        positions: np.ndarray,
        *,
        limits: tuple[float, float] | None = None,
    ) -> _Result:
        """Return an answer, with draws where bands are asked for.

        ``"local"`` are draws of the process itself: the answers of VARs on the rows before each
        origin, see :mod:`~samovar_forecast.dynamics.local_draws`. They need not lie around the
        estimate. ``"bootstrap"`` are draws of the reading. They lie around ``estimate - loss``, the
        loss being what the answers of histories that follow the reading are off the estimate, and
        stand on the other side of it (Hall 1992, The Bootstrap and Edgeworth Expansion, section
        1.3; Luetkepohl 2005, appendix D.3), further by the inverse of the share that an answer
        keeps (:func:`kept_share`).

        Parameters
        ----------
        compute : callable
            A reading to its answer, with an ``estimate`` and room for ``draws``, ``level`` and
            ``bands``.
        bands : {None, "local", "bootstrap"}
        level : float
        n_draws : int, optional
            By default :data:`DRAWS` of the kind.
        random_state : int or None
        positions : int array of shape (O,)
            Rows of the origins at which the answer is read.
        limits : tuple of float, optional
            Smallest and largest number that the answer can hold.

        Raises
        ------
        ConfigurationError
            If there are no such bands, or too few draws for the level.
        """
        check_choice("there are no such bands", bands, [None, *DRAWS])
        check_level(level)
        if n_draws is not None and (not is_whole(n_draws) or n_draws < 2):
            raise ConfigurationError("bands want draws", found=repr(n_draws), wanted="2 or more")
        rng = generator_of(random_state)
        if bands is None:
            return compute(self)
        n_draws = DRAWS[bands] if n_draws is None else n_draws
        least = max(fewest_draws(level), LEAST_DRAWS[bands])
        if n_draws < least:
            raise ConfigurationError(
                "bands of this level want more draws",
                found=f"n_draws={n_draws}, level={level:g}",
                wanted=f"n_draws={least} or more",
                remedy="or a lower level",
            )
        found = compute(self)
        if bands == "local":
            local = LocalDraws(self, positions, n_draws, rng)
            vars_ = (local.of_draw(number) for number in range(n_draws))
            draws = np.stack([compute(self.answered_by(own)).estimate for own in vars_])
        else:
            draws = self._draws(compute, found.estimate, n_draws, rng)
        if limits is not None:
            draws = draws.clip(*limits)
        return replace(found, draws=draws, level=level, bands=bands)

    def _draws(
        self: _R,
        compute: Callable[[_R], Any],
        estimate: np.ndarray,
        n_draws: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return draws of an answer, (n_draws, ...), half of them with the loss added back."""
        draw = partial(resampled, self, random_state=rng, dynamics=one_step_dynamics(self))
        answers, newest = [], []
        for reading in draw((n_draws + 1) // 2):
            answers.append(compute(reading).estimate)
            newest.append(newest_dynamics(reading))
        own = newest_dynamics(self)
        lost = own - np.mean(newest, axis=0)
        share = stable_share(own, lost)
        again = [compute(reading).estimate for reading in draw(n_draws // 2, added=share * lost)]
        as_read, restored = np.stack(answers), np.stack(again)
        loss = as_read.mean(axis=0) - estimate
        kept = kept_share(as_read, restored, -share * loss)
        # Deviations from a mean of their own are too small: by the root of (m - 1) / m.
        off = [
            (part - part.mean(axis=0)) * np.sqrt(len(part) / (len(part) - 1))
            for part in (as_read, restored)
        ]
        return np.asarray(estimate - loss - np.concatenate(off) / kept)


def kept_share(as_read: np.ndarray, restored: np.ndarray, change: np.ndarray) -> float:
    """Return the share of a change of the truth that an answer keeps, over all its numbers.

    Parameters
    ----------
    as_read : array of shape (n, ...)
        Answers of histories that follow the reading.
    restored : array of shape (m, ...)
        Answers of histories that follow dynamics in which the truth of the answer is changed.
    change : array of shape (...)
        By so much.

    Returns
    -------
    float
        The slope of the mean answers in the change, each number in its own standard deviation;
        between :data:`LEAST_KEPT` and 1. It is 1 where nothing is changed.
    """
    gain = restored.mean(axis=0) - as_read.mean(axis=0)
    variance = (as_read.var(axis=0) + restored.var(axis=0)) / 2
    moves = variance > 0
    square = float((change[moves] ** 2 / variance[moves]).sum())
    if square == 0:
        return 1.0
    slope = float((gain[moves] * change[moves] / variance[moves]).sum()) / square
    return min(1.0, max(LEAST_KEPT, slope))
