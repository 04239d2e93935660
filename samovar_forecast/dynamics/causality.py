"""Which series help to forecast which: predictive causality, and reliance of one fitted network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from samovar_forecast.accuracy_tests import (
    KNOWN_LAGS,
    as_text,
    check_forecasts,
    clark_west,
    known_before,
    table_of,
)
from samovar_forecast.dynamics.simulation import Step, one_step
from samovar_forecast.exceptions import ConfigurationError, DataError

FitAndForecast = Callable[[tuple[str, ...]], np.ndarray]
"""Names of the series that may be used, to one-step forecasts of these series at all test origins:
shape (n, number of names), or (S, n, number of names) from S trainings."""


@dataclass(frozen=True, eq=False)
class CausalityTest:
    """Which series help to forecast which, out of sample.

    Attributes
    ----------
    table : DataFrame
        One row a pair: ``caused``, ``causing``, ``statistic``, ``pvalue``, ``pvalue_holm``
        (adjusted for all pairs of this test), ``mse_restricted``, ``mse_full`` and ``gain``, the
        share by which the mean squared error falls.
    names : tuple of str
    level : float
        Of `graph` and of the words.
    n_origins, n_trainings : int
        Test origins, and trainings of each learner.
    """

    table: pd.DataFrame
    names: tuple[str, ...]
    level: float
    n_origins: int
    n_trainings: int

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def graph(self) -> pd.DataFrame:
        """Return which causing series (columns) are found to help which caused one (rows)."""
        found = pd.DataFrame(False, index=list(self.names), columns=list(self.names))
        for row in self.table.itertuples():
            found.loc[row.caused, row.causing] = bool(row.pvalue_holm < self.level)
        return found.rename_axis(index="caused", columns="causing")

    def __str__(self) -> str:
        """Return the table and how to read it."""
        head = (
            "Predictive causality, out of sample\n"
            "H0: the causing series does not improve the one-step forecast of the caused one\n"
            f"{self.n_origins} test origins, {self.n_trainings} training(s) of each learner; "
            f"Clark-West with HAC errors, Holm over {len(self.table)} pair(s)\n"
        )
        return head + as_text(self.table, self.level)


def predictive_causality(
    fit_and_forecast: FitAndForecast,
    actual: pd.DataFrame,
    caused: str | Sequence[str] | None = None,
    causing: str | Sequence[str] | None = None,
    *,
    level: float = 0.05,
    max_lags: int | None = None,
) -> CausalityTest:
    """Train without the causing series, and see whether the caused one is forecast worse.

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
    names = tuple(actual.columns)
    effects, causes = _some_names(caused, names, "caused"), _some_names(causing, names, "causing")
    pairs = [(effect, cause) for effect in effects for cause in causes if effect != cause]
    if not pairs:
        raise ConfigurationError(
            "no pair of different series to test", found=f"caused {effects}, causing {causes}"
        )
    full = check_forecasts(fit_and_forecast(names), names, len(actual))  # S n C
    rows: list[dict[str, object]] = []
    for cause in dict.fromkeys(cause for _, cause in pairs):
        rest = tuple(name for name in names if name != cause)
        without = check_forecasts(fit_and_forecast(rest), rest, len(actual))  # S n C-1
        known = known_before(actual[list(rest)].to_numpy(dtype=float), without, squares=True)
        for effect in (effect for effect, other in pairs if other == cause):
            outcome = clark_west(
                actual[effect].to_numpy()[KNOWN_LAGS:],
                without[:, KNOWN_LAGS:, rest.index(effect)],
                full[:, KNOWN_LAGS:, names.index(effect)],
                known=known,
                max_lags=max_lags,
            )
            rows.append({"caused": effect, "causing": cause, **outcome._asdict()})
    table = table_of(rows)
    order = {pair: number for number, pair in enumerate(pairs)}
    place = [order[pair] for pair in zip(table["caused"], table["causing"], strict=True)]
    table = table.iloc[np.argsort(place)].reset_index(drop=True)
    return CausalityTest(table, names, level, len(actual) - KNOWN_LAGS, len(full))


def _some_names(
    chosen: str | Sequence[str] | None, names: tuple[str, ...], what: str
) -> tuple[str, ...]:
    """Return the chosen names, all by default, and refuse those that are not there."""
    if chosen is None:
        return names
    some = (chosen,) if isinstance(chosen, str) else tuple(chosen)
    for name in some:
        if name not in names:
            raise ConfigurationError(
                f"{what} names no series", found=repr(name), wanted=list(names)
            )
    return some


def reliance(step: Step, histories: np.ndarray, actual: pd.DataFrame) -> pd.DataFrame:
    """Return how much one fitted network leans on each series: masking, without a refit.

    The causing series is held at its mean in every window, and the caused one forecast again.
    This describes the fitted network, not the data: a network may lean on a series that another
    would replace, and ignore one that would help. For a test see `predictive_causality`.

    Parameters
    ----------
    step : callable, (B, L, C) -> (B, C)
    histories : ndarray of shape (n, L, C)
        Windows before each row of ``actual``.
    actual : DataFrame of shape (n, C)

    Returns
    -------
    DataFrame
        One row a pair: ``caused``, ``causing``, ``mse``, ``mse_masked``, ``loss_increase`` (share
        of ``mse``) and ``movement`` (root mean square change of the forecast, in standard
        deviations of the caused series).
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
    loss = ((truth - forecast) ** 2).mean(axis=0)
    deviation = truth.std(axis=0)
    rows: list[dict[str, object]] = []
    for k, cause in enumerate(names):
        masked = windows.copy()
        masked[:, :, k] = windows[:, :, k].mean(axis=1, keepdims=True)
        blind = one_step(step, masked)
        blind_loss = ((truth - blind) ** 2).mean(axis=0)
        movement = np.sqrt(((blind - forecast) ** 2).mean(axis=0)) / deviation
        rows.extend(
            {
                "caused": effect,
                "causing": cause,
                "mse": loss[c],
                "mse_masked": blind_loss[c],
                "loss_increase": blind_loss[c] / loss[c] - 1,
                "movement": movement[c],
            }
            for c, effect in enumerate(names)
            if c != k
        )
    return pd.DataFrame(rows)
