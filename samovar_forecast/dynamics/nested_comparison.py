"""Nested forecasts compared series by series: what the tests of causality and constancy share.

Letters: n test origins, S trainings of each learner that differ by their seed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.accuracy_tests import KNOWN_LAGS, ClarkWest, clark_west, holm, known_before
from samovar_forecast.dynamics.results import Tabled
from samovar_forecast.exceptions import DataError


class NamedForecasts(NamedTuple):
    """One-step forecasts of some series, all made from the past of these series alone."""

    names: tuple[str, ...]
    values: np.ndarray
    """(S, n, number of names)"""

    @classmethod
    def checked(cls, given: np.ndarray, names: Sequence[str], n_origins: int) -> NamedForecasts:
        """Return forecasts of shape (n, names) or (S, n, names) under their names.

        Raises
        ------
        DataError
            If the forecasts have another shape.
        """
        values = np.asarray(given, dtype=float)
        if values.ndim == 2:
            values = values[None]
        if values.ndim != 3 or values.shape[1:] != (n_origins, len(names)):
            raise DataError(
                f"the forecasts of {list(names)} have the wrong shape",
                found=values.shape,
                wanted=f"({n_origins}, {len(names)}) or (n_trainings, {n_origins}, {len(names)})",
            )
        return cls(tuple(names), values)

    def of(self, name: str) -> np.ndarray:
        """Return the forecasts of a series from the first compared origin on; (S, n - lags)."""
        return self.values[:, KNOWN_LAGS:, self.names.index(name)]


def compare_nested(
    actual: pd.DataFrame,
    restricted: NamedForecasts,
    full: NamedForecasts,
    series: Sequence[str],
    *,
    squares: bool,
    max_lags: int | None = None,
) -> list[ClarkWest]:
    """Test for some series whether the full learner forecasts better than the restricted learner.

    By `clark_west`, after what the restricted learner knew has been taken out (`known_before`),
    which costs the first origins.

    Parameters
    ----------
    actual : DataFrame of shape (n, C)
        What was to be forecast, at consecutive times; holds the series of both learners.
    restricted, full : NamedForecasts
        Both hold the series that are compared, from the same number of trainings.
    series : sequence of str
    squares : bool
        Whether squares of the recent past count as known too.
    max_lags : int, optional
        Lags of the HAC standard error, see `clark_west`.

    Returns
    -------
    list of ClarkWest
        In the order of ``series``.
    """
    seen = actual[list(restricted.names)].to_numpy(dtype=float)
    known = known_before(seen, restricted.values, squares=squares)
    return [
        clark_west(
            actual[name].to_numpy()[KNOWN_LAGS:],
            restricted.of(name),
            full.of(name),
            known=known,
            max_lags=max_lags,
        )
        for name in series
    ]


@dataclass(frozen=True, eq=False, kw_only=True)
class NestedTest(Tabled):
    """Hypotheses on nested forecasts, each tested by Clark and West, all together by Holm.

    Attributes
    ----------
    table : DataFrame
        A row per hypothesis: what it is about, ``statistic``, ``pvalue``, ``pvalue_holm``
        (adjusted for all hypotheses of this test), ``mse_restricted``, ``mse_full`` and ``gain``,
        the share by which the mean squared error falls.
    level : float
        Of the verdicts.
    n_origins, n_trainings : int
        Test origins that were compared, and trainings of each learner; 0 without training.
    """

    table: pd.DataFrame
    level: float
    n_origins: int
    n_trainings: int

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def _trainings(self, learner: str) -> str:
        if self.n_trainings == 0:
            return "no training: the pretrained network forecasts all of them"
        return f"{self.n_trainings} training(s) of each {learner}"

    def _text(self, title: str, null: str, learner: str, hypotheses: str) -> str:
        """Return the table with its verdicts, and above it what was tested and how."""
        verdicts = np.where(self.table["pvalue_holm"] < self.level, "rejected", "not rejected")
        shown = self.table.assign(H0=verdicts)
        return (
            f"{title}, out of sample\n"
            f"H0: {null}\n"
            f"{self.n_origins} test origins, {self._trainings(learner)}; "
            f"Clark-West with HAC errors, Holm over {len(self.table)} {hypotheses}\n"
            + shown.to_string(index=False, float_format=lambda value: f"{value:.4g}")
        )


def outcome_table(
    labels: Sequence[Mapping[str, str]], outcomes: Sequence[ClarkWest]
) -> pd.DataFrame:
    """Return the table of a `NestedTest`: a row per outcome, under what the outcome is about."""
    rows = [{**label, **outcome._asdict()} for label, outcome in zip(labels, outcomes, strict=True)]
    table = pd.DataFrame(rows)
    table.insert(table.columns.get_loc("pvalue") + 1, "pvalue_holm", holm(table["pvalue"]))
    table["gain"] = 1 - table["mse_full"] / table["mse_restricted"]
    return table
