"""Which series help to forecast which: predictive causality, and reliance of one fitted network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from samovar_forecast.accuracy_tests import KNOWN_LAGS, ClarkWest
from samovar_forecast.arguments import check_level
from samovar_forecast.dynamics.nested_comparison import (
    NamedForecasts,
    NestedTest,
    compare_nested,
    outcome_table,
)
from samovar_forecast.dynamics.results import Result
from samovar_forecast.dynamics.simulation import Step, one_step
from samovar_forecast.exceptions import ConfigurationError, DataError

FitAndForecast = Callable[[tuple[str, ...]], np.ndarray]
"""Names of the series that may be used, to one-step forecasts of these series at all test origins:
shape (n, number of names), or (S, n, number of names) from S trainings."""


@dataclass(frozen=True, eq=False, kw_only=True)
class CausalityTest(NestedTest, Result):
    """Which series help to forecast which, out of sample: a `NestedTest` of pairs.

    Attributes
    ----------
    table : DataFrame
        A row per pair, by ``caused`` and ``causing``.
    names : tuple of str
    level : float
        Of `graph` and of the words.
    """

    figure: ClassVar[str] = "plot_causality"

    names: tuple[str, ...]

    def graph(self) -> pd.DataFrame:
        """Return which causing series (columns) are found to help which caused series (rows)."""
        found = pd.DataFrame(False, index=list(self.names), columns=list(self.names))
        for row in self.table.itertuples():
            found.loc[row.caused, row.causing] = bool(row.pvalue_holm < self.level)
        return found.rename_axis(index="caused", columns="causing")

    def __repr__(self) -> str:
        n_found = int((self.table["pvalue_holm"] < self.level).sum())
        return f"CausalityTest({len(self.table)} pairs, {n_found} found at {self.level:.0%})"

    def __str__(self) -> str:
        """Return the table and how to read it."""
        null = "the causing series does not improve the one-step forecast of the caused one"
        return self._text("Predictive causality", null, "learner", "pair(s)")


def predictive_causality(
    fit_and_forecast: FitAndForecast,
    actual: pd.DataFrame,
    caused: str | Sequence[str] | None = None,
    causing: str | Sequence[str] | None = None,
    *,
    level: float = 0.05,
    max_lags: int | None = None,
) -> CausalityTest:
    """Train without the causing series, and see whether the caused series is forecast worse.

    Predictive (Granger) causality as a statement on forecasts: both learners are judged at
    origins that neither was trained on, by `clark_west`, after what is known without the causing
    series has been taken out (`known_before`; this costs the first two origins). Every ordered
    pair of a caused and another causing series is one hypothesis.

    The networks should be trained on several times as many observations as they are tested on:
    what an imperfect fit leaves in the errors counts for more, the more origins there are.

    Parameters
    ----------
    fit_and_forecast : callable
        Names of the series that may be used (tuple of str, in the order of ``actual``), to
        one-step forecasts of these series at the origins of ``actual``: an array of shape
        (n, number of names), or (S, n, number of names) from S trainings with different seeds.
        It is called once with all names, and once without each causing series.
    actual : DataFrame of shape (n, C)
        What was to be forecast, at consecutive times; its columns are the names.
    caused, causing : str or sequence of str, optional
        By default all series.
    level : float, default=0.05
        Of the verdicts.
    max_lags : int, optional
        Lags of the HAC standard error, see `clark_west`.

    Returns
    -------
    CausalityTest

    Raises
    ------
    ConfigurationError
        If a name is not a column of ``actual``, or no pair is left.
    DataError
        If a forecast has the wrong shape.
    """
    check_level(level)
    names = tuple(actual.columns)
    effects, causes = _some_names(caused, names, "caused"), _some_names(causing, names, "causing")
    pairs = [(effect, cause) for effect in effects for cause in causes if effect != cause]
    if not pairs:
        raise ConfigurationError(
            "no pair of different series to test", found=f"caused {effects}, causing {causes}"
        )
    full = NamedForecasts.checked(fit_and_forecast(names), names, len(actual))
    outcomes: dict[tuple[str, str], ClarkWest] = {}
    for cause in dict.fromkeys(cause for _, cause in pairs):
        rest = tuple(name for name in names if name != cause)
        without = NamedForecasts.checked(fit_and_forecast(rest), rest, len(actual))
        asked = [effect for effect, other in pairs if other == cause]
        found = compare_nested(actual, without, full, asked, squares=True, max_lags=max_lags)
        outcomes.update(zip([(effect, cause) for effect in asked], found, strict=True))
    labels = [{"caused": effect, "causing": cause} for effect, cause in pairs]
    return CausalityTest(
        table=outcome_table(labels, [outcomes[pair] for pair in pairs]),
        names=names,
        level=level,
        n_origins=len(actual) - KNOWN_LAGS,
        n_trainings=len(full.values),
    )


def _some_names(
    chosen: str | Sequence[str] | None, names: tuple[str, ...], what: str
) -> tuple[str, ...]:
    """Return the chosen names, all by default, and refuse names that are not there.

    A label stands for its name, where names are text.
    """
    if chosen is None:
        return names
    if isinstance(chosen, str) or not isinstance(chosen, Iterable):
        chosen = [chosen]
    some = tuple(dict.fromkeys(name if name in names else str(name) for name in chosen))
    for name in some:
        if name not in names:
            raise ConfigurationError(
                f"{what} names no series", found=repr(name), wanted=list(names)
            )
    return some


def reliance(step: Step, histories: np.ndarray, actual: pd.DataFrame) -> pd.DataFrame:
    """Return how much one fitted network leans on each series: masking, without a refit.

    The causing series is held at its mean in every window, and the caused series is forecast again.
    This describes the fitted network, not the data: a network may lean on a series that another
    series would replace, and ignore a series that would help. `predictive_causality` tests.

    Parameters
    ----------
    step : callable, (B, L, C) -> (B, C)
    histories : ndarray of shape (n, L, C)
        Windows before each row of ``actual``; what is missing stays missing.
    actual : DataFrame of shape (n, C)
        A value that is missing counts in no loss.

    Returns
    -------
    DataFrame
        One row a pair: ``caused``, ``causing``, ``mse``, ``mse_masked``, ``loss_increase`` (share
        of ``mse``) and ``movement`` (root mean square change of the forecast, in standard
        deviations of the caused series); both NaN where the caused series does not move.
    """
    windows, names = np.asarray(histories, dtype=float), tuple(actual.columns)
    truth = actual.to_numpy(dtype=float)
    if windows.ndim != 3 or windows.shape[::2] != truth.shape:
        raise DataError(
            "histories do not fit the actual values",
            found=windows.shape,
            wanted=f"({len(truth)}, context_length, {len(names)})",
        )
    forecast = one_step(step, windows)
    loss = np.nanmean((truth - forecast) ** 2, axis=0)
    moves = np.nanmax(truth, axis=0) > np.nanmin(truth, axis=0)
    deviation = np.where(moves, np.nanstd(truth, axis=0), np.nan)
    part = np.where(moves & (loss > 0), loss, np.nan)
    rows: list[dict[str, object]] = []
    for k, cause in enumerate(names):
        masked = windows.copy()
        own = windows[:, :, k]
        n_known = np.isfinite(own).sum(axis=1, keepdims=True)
        mean = np.nansum(own, axis=1, keepdims=True) / np.maximum(n_known, 1)
        masked[:, :, k] = np.where(np.isfinite(own), mean, np.nan)
        blind = one_step(step, masked)
        blind_loss = np.nanmean((truth - blind) ** 2, axis=0)
        movement = np.sqrt(((blind - forecast) ** 2).mean(axis=0)) / deviation
        rows.extend(
            {
                "caused": effect,
                "causing": cause,
                "mse": loss[c],
                "mse_masked": blind_loss[c],
                "loss_increase": blind_loss[c] / part[c] - 1,
                "movement": movement[c],
            }
            for c, effect in enumerate(names)
            if c != k
        )
    return pd.DataFrame(rows)
