"""The registry of metrics: what each metric is called, in which unit, and how it is averaged.

A metric is added here and nowhere else. Once `register_metric` knows it, the scores, the
leaderboard, the text, the report and the figures of every later comparison show it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from samovar_forecast.exceptions import ConfigurationError

LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""Quantiles that are asked of a forecaster with intervals."""
COVERAGES = (0.5, 0.8, 0.9)
"""Central intervals whose coverage is given."""
TIE_SHARE = 0.01
"""Two models whose MSE is within this share of each other tie, whatever a test says."""
FEWEST_ORIGINS_FOR_AN_ERROR = 6
"""With fewer origins, a standard error over origins says nothing and is not given."""


class ScoredForecasts(NamedTuple):
    """Forecasts beside the truth, as a metric reads them: n numbers, in the users' units."""

    y_true: np.ndarray
    """Shape (n,)."""
    y_pred: np.ndarray
    """Shape (n,)."""
    quantiles: np.ndarray
    """Shape (n, number of `LEVELS`); NaN where a model has none."""
    deviation: np.ndarray
    """Standard deviation of the series in the first training window, shape (n,)."""
    seasonal_error: np.ndarray
    """Mean absolute error of the seasonal naive forecast in that window, shape (n,)."""
    seasonal_square: np.ndarray
    """Mean squared error of the seasonal naive forecast in that window, shape (n,)."""


class Unit(NamedTuple):
    """What the numbers of a metric are counted in."""

    axis: str
    """For the axis of a figure."""
    words: str
    """For a caption, after "MSE is"; ``{naive}`` stands for the naive forecast in words."""


STANDARDISED = Unit(
    axis="standardised series",
    words="of series standardised by mean and deviation of the first training window",
)
NAIVE_ERRORS = Unit(axis="in-sample naive errors", words="scaled by the {naive} inside it")
"""Its words stand behind the words of `STANDARDISED`, which name the first training window."""


Average = Callable[[pd.DataFrame, list[str], list[str]], pd.DataFrame]
"""From the errors, the columns of the losses and the keys of the groups to a row a group."""


def mean(errors: pd.DataFrame, columns: list[str], keys: list[str]) -> pd.DataFrame:
    """Return the mean loss of each group, over all that it holds."""
    return errors.groupby(keys, sort=False)[columns].mean()


def mean_root(errors: pd.DataFrame, columns: list[str], keys: list[str]) -> pd.DataFrame:
    """Return the root of the mean loss of each series, averaged over the series of each group."""
    each_series = [*keys, *(["series"] if "series" not in keys else [])]
    roots = errors.groupby(each_series, sort=False)[columns].mean() ** 0.5
    return roots.groupby(level=keys, sort=False).mean()


class Metric(NamedTuple):
    """A measure of accuracy.

    Parameters
    ----------
    name : str
        What it is called in tables, text and figures.
    unit : Unit
        What its numbers are counted in.
    loss : callable
        From `ScoredForecasts` to the loss of each number forecast, shape (n,).
    average : callable, default=mean
        How the losses of a group become a score: `mean`, `mean_root` or another `Average`.
    lower_is_better : bool, default=True
        Whether the least score is the best.
    needs_quantiles : bool, default=False
        Whether only models with quantiles at every origin have it.
    is_shown_by_band : bool, default=True
        Whether the report, where room is short, shows it by horizon band too.
    column : str, optional
        Column of its losses in `Comparison.errors`; by default its name.
    """

    name: str
    unit: Unit
    loss: Callable[[ScoredForecasts], np.ndarray]
    average: Average = mean
    lower_is_better: bool = True
    needs_quantiles: bool = False
    is_shown_by_band: bool = True
    column: str | None = None

    @property
    def loss_column(self) -> str:
        """Column of its losses in `Comparison.errors`."""
        return self.name if self.column is None else self.column

    def best(self, scores: pd.Series) -> float:
        """Return the best of some scores, NaN if there are none."""
        return float(scores.min() if self.lower_is_better else scores.max())


METRICS: dict[str, Metric] = {}
"""All metrics by name, in the order in which they are shown; `register_metric` adds to them."""
RESERVED = ("model", "origin", "step", "time", "series", "y_true", "y_pred", "band")
"""Columns of `Comparison.errors` that are no losses."""


def register_metric(metric: Metric) -> Metric:
    """Add a metric to every later comparison, and return it.

    Raises
    ------
    ConfigurationError
        If its name, or the column of its losses, is taken.
    """
    taken = {*METRICS, *(known.loss_column for known in METRICS.values()), *RESERVED}
    for name in (metric.name, metric.loss_column):
        if name in taken:
            raise ConfigurationError("the name of a metric is taken", found=repr(name))
    METRICS[metric.name] = metric
    return metric


def losses_of(forecasts: ScoredForecasts, metrics: Iterable[Metric]) -> dict[str, np.ndarray]:
    """Return the losses of the metrics, by column, each of shape (n,)."""
    return {metric.loss_column: metric.loss(forecasts) for metric in metrics}


def scores_of(errors: pd.DataFrame, metrics: Sequence[Metric], keys: Sequence[str]) -> pd.DataFrame:
    """Return a row a group and a column a metric.

    Parameters
    ----------
    errors : DataFrame
        The keys, ``series``, and the losses of the metrics.
    metrics : sequence of Metric
    keys : sequence of str
        Columns that make the groups, in the order of the index.
    """
    parts = []
    for average in dict.fromkeys(metric.average for metric in metrics):
        names = {metric.loss_column: metric.name for metric in metrics if metric.average is average}
        parts.append(average(errors, list(names), list(keys)).rename(columns=names))
    table = parts[0].copy()
    for part in parts[1:]:
        table[list(part)] = part
    return table[[metric.name for metric in metrics]]


def by_unit(metrics: Iterable[Metric]) -> dict[Unit, list[Metric]]:
    """Return the metrics by their unit, both in the order in which they are shown."""
    groups: dict[Unit, list[Metric]] = {}
    for metric in metrics:
        groups.setdefault(metric.unit, []).append(metric)
    return groups


def direction(metrics: Iterable[Metric]) -> str:
    """Return in words which scores are better."""
    rising = [metric.name for metric in metrics if not metric.lower_is_better]
    return "Lower is better" + (f" (higher for {', '.join(rising)})" if rising else "")


# ---------------------------------------------------------------- the metrics


def squared_error(forecasts: ScoredForecasts) -> np.ndarray:
    """Return the squared errors in squared deviations of the first training window."""
    return absolute_error(forecasts) ** 2


def absolute_error(forecasts: ScoredForecasts) -> np.ndarray:
    """Return the absolute errors in deviations of the first training window."""
    return np.abs(forecasts.y_pred - forecasts.y_true) / forecasts.deviation


def absolute_scaled_error(forecasts: ScoredForecasts) -> np.ndarray:
    """Return the absolute errors over that of the seasonal naive forecast in the first window.

    Hyndman and Koehler (2006, Int. J. Forecasting 22:679-688).
    """
    return np.abs(forecasts.y_pred - forecasts.y_true) / forecasts.seasonal_error


def squared_scaled_error(forecasts: ScoredForecasts) -> np.ndarray:
    """Return the squared errors over that of the seasonal naive forecast in the first window.

    Makridakis, Spiliotis and Assimakopoulos (2022, Int. J. Forecasting 38:1346-1364).
    """
    return np.abs(forecasts.y_pred - forecasts.y_true) ** 2 / forecasts.seasonal_square


def standardised_crps(forecasts: ScoredForecasts) -> np.ndarray:
    """Return the CRPS of the quantiles in deviations of the first training window."""
    return crps(forecasts.y_true, forecasts.quantiles) / forecasts.deviation


def crps(truth: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return the continuous ranked probability score of forecasts given as quantiles.

    The score is twice the integral of the pinball loss over all levels (Gneiting and Raftery
    2007, section 4.2, with Laio and Tamea 2007), here by the trapezoidal rule over `LEVELS` and
    the loss of 0 at the ends; that leaves out a little of the tails.

    Parameters
    ----------
    truth : ndarray of shape (n,)
    quantiles : ndarray of shape (n, number of levels)

    Returns
    -------
    ndarray of shape (n,)
        In the units of ``truth``.
    """
    levels = np.asarray(LEVELS)
    distance = truth[:, None] - quantiles
    pinball = np.maximum(levels * distance, (levels - 1) * distance)
    return 2 * np.mean(np.diff(levels)) * pinball.sum(axis=1)


register_metric(Metric("MSE", STANDARDISED, squared_error))
register_metric(Metric("MAE", STANDARDISED, absolute_error, is_shown_by_band=False))
register_metric(Metric("MASE", NAIVE_ERRORS, absolute_scaled_error))
register_metric(
    Metric(
        "RMSSE",
        NAIVE_ERRORS,
        squared_scaled_error,
        average=mean_root,
        is_shown_by_band=False,
        column="squared_scaled",
    )
)
register_metric(Metric("CRPS", STANDARDISED, standardised_crps, needs_quantiles=True))
