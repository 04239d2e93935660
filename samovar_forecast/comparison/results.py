"""What a comparison found: every forecast, and the tables and words that follow from them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

METRICS = ("MSE", "MAE", "MASE", "RMSSE", "CRPS")
LEVELS = tuple(round(0.05 * k, 2) for k in range(1, 20))
"""Quantiles that are asked of a forecaster with intervals."""
COVERAGES = (0.5, 0.8, 0.9)
"""Central intervals whose coverage is given."""
TIE_SHARE = 0.01
"""Models whose MSE is within this share of the best one's tie with it."""
OF_NO_CONCERN = (
    *("FutureWarning", "DeprecationWarning", "PendingDeprecationWarning"),
    # Lightning and torch on how they load batches
    *("PossibleUserWarning", "UserWarning: 'pin_memory' argument is set as true"),
    "UserWarning: Total length of `list` across ranks is zero",
)
"""Warnings between libraries: kept in `Comparison.runs`, left out of a model's note."""
LONGEST_NOTE = 300
FEWEST_ORIGINS_FOR_AN_ERROR = 6
"""With fewer origins, a standard error over origins says nothing and is not given."""


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
        One row for each number forecast: ``model``, ``origin`` (label of the last observation
        known), ``step`` (1 is the step after it), ``time``, ``series``, ``y_true``, ``y_pred``.
    quantiles : DataFrame
        For each row of ``forecasts``, the quantiles of `LEVELS`; NaN where a model has none.
    runs : DataFrame
        One row for each model and origin: ``model``, ``origin``, ``fitted`` (whether it was
        fitted anew here), ``fit_seconds``, ``predict_seconds``, ``failure`` (the reason, or
        None), ``note`` (why it has no intervals, or None), ``warnings`` (what was raised on the
        way, as a tuple) and ``resumed`` (whether it was read from the folder of finished origins).
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
        """`forecasts` of the models that served every origin, with ``band`` and the metrics.

        ``MSE`` and ``MAE`` hold the squared and the absolute error in deviations of the first
        training window, which makes series in different units comparable; ``MASE`` holds the
        absolute error over the in-sample error of the seasonal naive forecast in that window
        (Hyndman and Koehler 2006), ``squared_scaled`` the squared error over its in-sample mean
        square. ``CRPS`` is in deviations too: twice the pinball loss, integrated over the levels
        by the trapezoidal rule; NaN where a model has no quantiles, or has none somewhere. The
        metrics are the means, but for RMSSE, see `scores`.
        """
        complete = ~self.forecasts["model"].isin(self.failures["model"])
        errors = self.forecasts[complete].reset_index(drop=True)
        distance = (errors["y_pred"] - errors["y_true"]).abs()
        standardised = distance / errors["series"].map(self.scales["deviation"])
        errors["MSE"] = standardised**2
        errors["MAE"] = standardised
        errors["MASE"] = distance / errors["series"].map(self.scales["seasonal_error"])
        square = errors["series"].map(self.scales["seasonal_square"])
        errors["squared_scaled"] = distance**2 / square
        deviation = errors["series"].map(self.scales["deviation"]).to_numpy()
        truth = errors["y_true"].to_numpy()
        errors["CRPS"] = crps(truth, self.quantiles[complete].to_numpy()) / deviation
        errors.loc[~self._has_all_quantiles(errors["model"]), "CRPS"] = np.nan
        band_ends = [last for _, last in self.bands]
        labels = np.array(self.band_labels, dtype=object)
        errors["band"] = labels[np.searchsorted(band_ends, errors["step"])]
        return errors

    @property
    def band_labels(self) -> list[str]:
        """The bands as they head the columns: ``"1"``, ``"2-4"``."""
        return [str(a) if a == b else f"{a}-{b}" for a, b in self.bands]

    def scores(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Return MSE, MAE, MASE, RMSSE and CRPS by model and by anything else `errors` has.

        Parameters
        ----------
        by : str or sequence of str, default=()
            Columns of `errors` beside the model: ``"band"``, ``"step"``, ``"series"``,
            ``"origin"``.

        Returns
        -------
        DataFrame
            Columns `METRICS`; index the model, then ``by``. RMSSE is the root of the mean
            ``squared_scaled`` of each series, averaged over series (Makridakis et al. 2022). A
            model that failed at any origin has no row: its mean would be over easier or harder
            origins.
        """
        keys = ["model", *([by] if isinstance(by, str) else by)]
        means = [metric for metric in METRICS if metric != "RMSSE"]
        table = self.errors.groupby(keys, sort=False)[means].mean()
        each_series = [*keys, *(["series"] if "series" not in keys else [])]
        roots = self.errors.groupby(each_series, sort=False)["squared_scaled"].mean() ** 0.5
        table["RMSSE"] = roots.groupby(level=keys, sort=False).mean()
        return table[list(METRICS)]

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
        """How many forecasts in a row share a step, as their origins are less than one apart."""
        return max(1, min(-(-self.horizon // self.stride), len(self.origins)))

    def significance(self, level: float = 0.05) -> pd.DataFrame:
        """Return each model's difference to the best classical one, tested.

        See `samovar_forecast.comparison.significance.against_classical`.
        """
        from samovar_forecast.comparison.significance import against_classical

        return against_classical(self, level)

    def nested_tests(self) -> pd.DataFrame:
        """Return Clark and West's tests of the models and their special cases.

        See `samovar_forecast.comparison.significance.nested_tests`.
        """
        from samovar_forecast.comparison.significance import nested_tests

        return nested_tests(self)

    def confidence_set(self, size: float = 0.1) -> pd.DataFrame:
        """Return the model confidence set.

        See `samovar_forecast.comparison.significance.confidence_set`.
        """
        from samovar_forecast.comparison.significance import confidence_set

        return confidence_set(self, size)

    def leaderboard(self) -> pd.DataFrame:
        """Return the metrics by horizon band and overall, the best model first.

        Returns
        -------
        DataFrame
            One row a model, sorted by overall MSE; columns (metric, band), the last band
            ``"all"``. Models that failed come last, with NaN.
        """
        columns = pd.MultiIndex.from_product(
            [METRICS, [*self.band_labels, "all"]], names=["metric", "steps"]
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
                "note": pd.Series({model: self._note(model) for model in self.models}),
            }
        ).loc[self.leaderboard().index]

    def margins(self) -> pd.DataFrame:
        """Return by how much each model's overall MSE exceeds the best one's.

        Returns
        -------
        DataFrame
            Sorted by ``MSE``, with ``excess`` (share of the best MSE), ``standard_errors`` (the
            mean difference over origins in standard errors) and ``ties`` (whether the excess is
            within 1 % or one standard error). Models that failed are absent.

        Notes
        -----
        The standard error is that of a mean of paired differences, one per origin, by Newey
        and West with as many lags as forecasts overlap (statsmodels' HAC covariance). It is
        NaN with fewer than six origins.
        """
        by_origin = self.scores("origin")["MSE"].unstack("model")
        mse = self.scores()["MSE"].sort_values(kind="stable")
        lowest = mse.min()
        table = pd.DataFrame({"MSE": mse, "excess": ((mse - lowest) / lowest).fillna(0.0)})
        table["standard_errors"] = [
            self._standard_errors(by_origin[model] - by_origin[mse.index[0]]) for model in mse.index
        ]
        table["ties"] = (table["excess"] <= TIE_SHARE) | (table["standard_errors"] <= 1)
        return table

    def _standard_errors(self, difference: pd.Series) -> float:
        """Mean difference over its standard error; NaN where there is no saying."""
        from statsmodels.api import OLS

        if len(difference) < FEWEST_ORIGINS_FOR_AN_ERROR or np.ptp(difference) == 0:
            return float("nan")
        overlapping = self.overlap - 1
        mean = OLS(difference.to_numpy(), np.ones(len(difference))).fit(
            cov_type="HAC", cov_kwds={"maxlags": overlapping, "use_correction": True}
        )
        return float(mean.tvalues[0])

    def _note(self, model: str) -> str:
        runs = self.runs[self.runs["model"] == model]
        failed = runs[runs["failure"].notna()]
        notes = []
        if len(failed):
            where = "every origin" if len(failed) == len(runs) else f"{len(failed)} origins"
            notes.append(f"failed at {where}: {failed['failure'].iloc[0]}")
        told = runs["note"].dropna()
        if len(told):
            notes.append(str(told.iloc[0]))
        raised = [
            message
            for messages in runs["warnings"]
            for message in messages
            if not message.startswith(OF_NO_CONCERN)
        ]
        if raised:
            times = "once" if len(raised) == 1 else f"{len(raised)} times, first"
            notes.append(f"warned {times}: {raised[0]}")
        return "; ".join(textwrap.shorten(note, LONGEST_NOTE, placeholder=" ...") for note in notes)

    def __str__(self) -> str:
        """Return caption, tables and verdict as text of 100 columns."""
        from samovar_forecast.comparison.text import summary

        return summary(self)


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
