"""What a comparison found: every forecast, and the tables and words that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from samovar_forecast.comparison import significance
from samovar_forecast.comparison.metrics import (
    COVERAGES,
    LEVELS,
    METRICS,
    Metric,
    ScoredForecasts,
    losses_of,
    scores_of,
)
from samovar_forecast.comparison.text import note_on, summary


@dataclass(frozen=True, eq=False)
class Comparison:
    """Rolling-origin forecasts of several models from identical origins, and their scores.

    Built by `compare`. All tables derive from `forecasts`; printing the object gives them as
    text, with their caption and the verdict in words.

    Parameters
    ----------
    y : DataFrame, shape (n_observations, n_series)
        The data, in the user's units.
    models : sequence of str
        The rows, in the order in which they were given.
    forecasts : DataFrame
        A row for each number forecast: ``model``, ``origin`` (label of the last observation
        known), ``step`` (1 is the step after it), ``time``, ``series``, ``y_true``, ``y_pred``.
    quantiles : DataFrame
        For each row of ``forecasts``, the quantiles of `LEVELS`; NaN where a model has none.
    runs : DataFrame
        A row for each model and origin: ``model``, ``origin``, ``fitted`` (whether it was
        fitted anew here), ``fit_seconds``, ``predict_seconds``, ``failure`` (the reason, or
        None), ``note`` (why it has no intervals, or None), ``warnings`` (what was raised on the
        way, as a tuple), ``resumed`` (whether it was read from the folder of stored origins) and
        ``orders`` (lags of each series' equation, or None where a model does not say).
    scales : DataFrame, indexed by series
        ``deviation`` of the first training window and, of the seasonal naive forecast inside it,
        ``seasonal_error``, the mean absolute, and ``seasonal_square``, the mean squared error. NaN
        where a series does not vary there.
    bands : sequence of (int, int)
        First and last step of each horizon band.
    origins : Index
        Label of the last observation known at each origin.
    stride, season, n_first : int
        Steps between origins; steps in a season; length of the first training window.
    window : {"expanding", "sliding"}
        Whether training windows keep their first observation.
    refit : mapping of str to str
        For each model, in words, where it is fitted.
    classical : sequence of str
        The rows that any other has to beat.
    nested : sequence of (str, str)
        Pairs of a model and a special case of it.
    parameters : mapping of str to str
        Each model as its constructor would be written.
    provenance : mapping of str to str
        ``date`` (UTC), ``data_sha256`` and the versions of the libraries.
    fitted : mapping of str to forecaster
        Each model as fitted last; absent where its last forecasts were resumed or failed.
    metrics : sequence of Metric, optional
        What the forecasts are scored by, MSE among them, since models are ranked and tested by it;
        by default all that are registered in `samovar_forecast.comparison.metrics`.
    """

    y: pd.DataFrame
    models: Sequence[str]
    forecasts: pd.DataFrame
    quantiles: pd.DataFrame = field(repr=False)
    runs: pd.DataFrame
    scales: pd.DataFrame
    bands: Sequence[tuple[int, int]]
    origins: pd.Index
    stride: int
    season: int
    n_first: int
    window: str
    refit: Mapping[str, str]
    classical: Sequence[str]
    nested: Sequence[tuple[str, str]]
    parameters: Mapping[str, str]
    provenance: Mapping[str, str]
    fitted: Mapping[str, Any] = field(repr=False)
    metrics: Sequence[Metric] = field(default_factory=lambda: tuple(METRICS.values()), repr=False)

    @property
    def horizon(self) -> int:
        """Steps ahead that were forecast from each origin."""
        return self.bands[-1][1]

    @cached_property
    def failures(self) -> pd.DataFrame:
        """The runs that gave no forecast, with the reason."""
        failed = self.runs[self.runs["failure"].notna()]
        return failed[["model", "origin", "failure"]].reset_index(drop=True)

    @cached_property
    def errors(self) -> pd.DataFrame:
        """`forecasts` of the models that served every origin, with ``band`` and the losses.

        A column of losses for each metric, as `samovar_forecast.comparison.metrics` computes them:
        ``MSE`` holds the squared error in deviations of the first training window, and so on;
        the losses of RMSSE stand in ``squared_scaled``. Losses that need quantiles are NaN for a
        model that has none at some origin. How losses are averaged, see `scores`.
        """
        complete = ~self.forecasts["model"].isin(self.failures["model"])
        errors = self.forecasts[complete].reset_index(drop=True)
        scales = {name: errors["series"].map(self.scales[name]).to_numpy() for name in self.scales}
        losses = losses_of(
            ScoredForecasts(
                y_true=errors["y_true"].to_numpy(),
                y_pred=errors["y_pred"].to_numpy(),
                quantiles=self.quantiles[complete].to_numpy(),
                **scales,
            ),
            self.metrics,
        )
        for column, values in losses.items():
            errors[column] = values
        of_quantiles = [metric.loss_column for metric in self.metrics if metric.needs_quantiles]
        errors.loc[~self._has_all_quantiles(errors["model"]), of_quantiles] = np.nan
        band_ends = [last for _, last in self.bands]
        labels = np.array(self.band_labels, dtype=object)
        errors["band"] = labels[np.searchsorted(band_ends, errors["step"])]
        return errors

    @property
    def band_labels(self) -> list[str]:
        """The bands as they head the columns: ``"1"``, ``"2-4"``."""
        return [str(a) if a == b else f"{a}-{b}" for a, b in self.bands]

    def scores(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Return every metric by model and by anything else `errors` has.

        Parameters
        ----------
        by : str or sequence of str, default=()
            Columns of `errors` beside the model: ``"band"``, ``"step"``, ``"series"``,
            ``"origin"``.

        Returns
        -------
        DataFrame
            A column for each of `metrics`; index the model, then ``by``. A model that failed at any
            origin has no row: its mean would be over easier or harder origins.
        """
        keys = ["model", *([by] if isinstance(by, str) else by)]
        return scores_of(self.errors, self.metrics, keys)

    def ranks(self) -> pd.Series:
        """Return the average rank of each model by MSE, over series and origins; ties share."""
        table = self.scores(["series", "origin"])["MSE"].unstack("model")
        return table.rank(axis=1).mean().rename("rank")

    def calibration(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Return how often the truth lay inside the central intervals, by model.

        Parameters
        ----------
        by : str or sequence of str, default=()
            As in `scores`.

        Returns
        -------
        DataFrame
            Columns ``(coverage, 0.8)`` and the like for `COVERAGES`, the share of truths inside;
            ``(width, 0.8)``, the mean width in deviations of the first training window; and
            ``(below, 0.05)`` for `LEVELS`, the share of truths at or below that quantile.
            Models without quantiles at any origin are absent.
        """
        complete = ~self.forecasts["model"].isin(self.failures["model"])
        quantiles = self.quantiles[complete].reset_index(drop=True)
        rows = self.errors[self._has_all_quantiles(self.errors["model"])]
        quantiles = quantiles.loc[rows.index]
        scale = rows["series"].map(self.scales["deviation"])
        found: dict[tuple[str, float], pd.Series] = {}
        for share in COVERAGES:
            low, high = (quantiles[round(0.5 + side * share / 2, 2)] for side in (-1, 1))
            found["coverage", share] = rows["y_true"].between(low, high).astype(float)
            found["width", share] = (high - low) / scale
        for level in LEVELS:
            found["below", level] = (rows["y_true"] <= quantiles[level]).astype(float)
        table = pd.DataFrame(found, index=rows.index)
        table.columns = pd.MultiIndex.from_tuples(list(found))
        keys = [rows[key] for key in ["model", *([by] if isinstance(by, str) else by)]]
        scored = scale.notna()
        return table[scored].groupby([key[scored] for key in keys], sort=False).mean()

    def _has_all_quantiles(self, models: pd.Series) -> np.ndarray:
        """Return for each row whether its model has quantiles at every origin."""
        some = self.quantiles.isna().any(axis=1).to_numpy()
        return ~models.isin(self.forecasts.loc[some, "model"]).to_numpy(dtype=bool)

    @cached_property
    def best_classical(self) -> str | None:
        """The classical model of least MSE, None if none served every origin."""
        mse = self.scores()["MSE"]
        mse = mse[mse.index.isin(list(self.classical))]
        return None if mse.isna().all() else str(mse.idxmin())

    @property
    def overlap(self) -> int:
        """How many neighbours share a step: origins may be less than a horizon apart."""
        return max(1, min(-(-self.horizon // self.stride), len(self.origins)))

    @cached_property
    def _mse(self) -> pd.Series:
        """Overall MSE of each model, the least first."""
        return self.scores()["MSE"].sort_values(kind="stable")

    @cached_property
    def _losses(self) -> pd.DataFrame:
        """MSE of each model (column) at each origin (row): the losses of the tests."""
        return self.scores("origin")["MSE"].unstack("model")

    def margins(self) -> pd.DataFrame:
        """Return by how much each model's overall MSE exceeds that of the best model.

        See `samovar_forecast.comparison.significance.margins`.
        """
        return significance.margins(self._mse, self._losses, self.overlap)

    def significance(self, level: float = 0.05) -> pd.DataFrame:
        """Return each model's difference to the best classical model, tested.

        See `samovar_forecast.comparison.significance.against_benchmark`.
        """
        return significance.against_benchmark(
            self._mse, self._losses, self.best_classical, self.overlap, level
        )

    def nested_tests(self) -> pd.DataFrame:
        """Return Clark and West's tests of the models and their special cases, one step ahead.

        An AR(8) is no special case of a VAR(3): a series is tested where the smaller model's
        equation had no more lags than the larger model's at every origin.

        See `samovar_forecast.comparison.significance.nested_tests`.
        """
        scored = self.scales.index[self.scales["deviation"].notna()]
        one_step = self.errors[self.errors["step"] == 1]
        return significance.nested_tests(one_step, self._nested_series(scored))

    def _nested_series(self, scored: pd.Index) -> list[tuple[str, str, list[object]]]:
        """Return the pairs with the series in which the smaller model had no more lags."""
        orders = {
            model: pd.DataFrame(list(of_model), columns=self.scales.index)
            for model, of_model in self.runs.groupby("model", sort=False)["orders"]
            if of_model.notna().all()
        }
        found = []
        for larger, smaller in self.nested:
            series = list(scored)
            if larger in orders and smaller in orders:
                is_inside = (orders[smaller] <= orders[larger]).all()
                series = [name for name in series if is_inside[name]]
            found.append((larger, smaller, series))
        return found

    def confidence_set(self, size: float = 0.1) -> pd.DataFrame:
        """Return the model confidence set.

        See `samovar_forecast.comparison.significance.confidence_set`.
        """
        return significance.confidence_set(self._losses, self.overlap, size)

    def leaderboard(self) -> pd.DataFrame:
        """Return the metrics by horizon band and overall, the best model first.

        Returns
        -------
        DataFrame
            A row for each model, sorted by overall MSE; columns (metric, band), the last band
            ``"all"``. Models that failed come last, with NaN.
        """
        columns = pd.MultiIndex.from_product(
            [[metric.name for metric in self.metrics], [*self.band_labels, "all"]],
            names=["metric", "steps"],
        )
        table = self.scores("band").unstack("band").reindex(index=self.models, columns=columns)
        for metric, overall in self.scores().items():
            table[metric, "all"] = overall
        return table.sort_values(("MSE", "all"), kind="stable").rename_axis("model")

    def effort(self) -> pd.DataFrame:
        """Return for each model the origins served, the fits made, the seconds, and a note.

        Returns
        -------
        DataFrame
            Columns ``origins``, ``fits``, ``fit_seconds``, ``predict_seconds`` (sums over the
            run) and ``note``: why a model failed and where, and which warnings it raised.
        """
        runs = self.runs.groupby("model", sort=False)
        return pd.DataFrame(
            {
                "origins": runs["failure"].agg(lambda reasons: int(reasons.isna().sum())),
                "fits": runs["fitted"].sum().astype(int),
                "fit_seconds": runs["fit_seconds"].sum(),
                "predict_seconds": runs["predict_seconds"].sum(),
                "note": pd.Series({model: note_on(of_model) for model, of_model in runs}),
            }
        ).loc[self.leaderboard().index]

    def plot(self, origin: int = -1, **options: Any) -> np.ndarray:
        """Draw the forecasts made at an origin, by :func:`samovar_forecast.plots.plot_forecasts`.

        Parameters
        ----------
        origin : int, default=-1
            Position of the origin among ``origins``.
        **options
            Further arguments of that function.

        Returns
        -------
        ndarray of Axes
            One per series.

        Raises
        ------
        MissingPackageError
            If matplotlib is not installed.
        """
        from samovar_forecast import plots

        return plots.plot_forecasts(self, origin, **options)

    def __str__(self) -> str:
        """Return caption, tables and verdict as text of 100 columns."""
        return summary(self)
