"""What a comparison found: every forecast, and the tables and words that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

METRICS = ("MSE", "MAE", "MASE")
TIE_SHARE = 0.01
"""Models whose MSE is within this share of the best one's tie with it."""
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
    runs : DataFrame
        One row for each model and origin: ``model``, ``origin``, ``fitted`` (whether it was
        fitted anew here), ``fit_seconds``, ``predict_seconds``, ``failure`` (the reason, or
        None) and ``warnings`` (what was raised on the way, as a tuple).
    scales : DataFrame, indexed by series
        ``deviation`` of the first training window and ``seasonal_error``, the mean absolute
        error of the seasonal naive forecast inside it. NaN where a series does not vary there.
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
    fitted : mapping of str to forecaster
        Each model as fitted last.
    """

    y: pd.DataFrame
    models: Sequence[str]
    forecasts: pd.DataFrame
    runs: pd.DataFrame
    scales: pd.DataFrame
    bands: Sequence[tuple[int, int]]
    origins: pd.Index
    stride: int
    season: int
    n_first: int
    window: str
    refit: Mapping[str, str]
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
        (Hyndman and Koehler 2006). The metrics are their means.
        """
        complete = ~self.forecasts["model"].isin(self.failures["model"])
        errors = self.forecasts[complete].reset_index(drop=True)
        distance = (errors["y_pred"] - errors["y_true"]).abs()
        standardised = distance / errors["series"].map(self.scales["deviation"])
        errors["MSE"] = standardised**2
        errors["MAE"] = standardised
        errors["MASE"] = distance / errors["series"].map(self.scales["seasonal_error"])
        band_ends = [last for _, last in self.bands]
        labels = np.array(self.band_labels, dtype=object)
        errors["band"] = labels[np.searchsorted(band_ends, errors["step"])]
        return errors

    @property
    def band_labels(self) -> list[str]:
        """The bands as they head the columns: ``"1"``, ``"2-4"``."""
        return [str(a) if a == b else f"{a}-{b}" for a, b in self.bands]

    def scores(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Return MSE, MAE and MASE by model and by anything else that `errors` has.

        Parameters
        ----------
        by : str or sequence of str, default=()
            Columns of `errors` beside the model: ``"band"``, ``"step"``, ``"series"``,
            ``"origin"``.

        Returns
        -------
        DataFrame
            Columns ``MSE``, ``MAE``, ``MASE``; index the model, then ``by``. A model that
            failed at any origin has no row: its mean would be over easier or harder origins.
        """
        keys = ["model", *([by] if isinstance(by, str) else by)]
        return self.errors.groupby(keys, sort=False)[list(METRICS)].mean()

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
        overlapping = min(-(-self.horizon // self.stride), len(difference)) - 1
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
        raised = [message for messages in runs["warnings"] for message in messages]
        if raised:
            notes.append(f"warned {len(raised)} times, first: {raised[0]}")
        return "; ".join(notes)

    def __str__(self) -> str:
        """Return caption, tables and verdict as text of 100 columns."""
        from samovar_forecast.comparison.text import summary

        return summary(self)
