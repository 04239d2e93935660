"""Whether a difference between two rows is more than chance: tests over origins.

The loss at an origin is the mean squared error there, over all steps and series, in deviations of
the first training window. Losses of origins less than a horizon apart share steps, so that all
tests allow for that many autocovariances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from samovar_forecast.accuracy_tests import FEWEST_ORIGINS, clark_west, diebold_mariano, holm
from samovar_forecast.comparison.results import FEWEST_ORIGINS_FOR_AN_ERROR, TIE_SHARE
from samovar_forecast.exceptions import ConfigurationError, DataError, require

if TYPE_CHECKING:
    from samovar_forecast.comparison.results import Comparison

FEWEST_ORIGINS_FOR_A_SET = 10
"""With fewer origins there is nothing to draw again, and no confidence set."""
REPETITIONS = 2000


def against_classical(comparison: Comparison, level: float = 0.05) -> pd.DataFrame:
    """Return each model's difference to the best classical one, tested by Diebold and Mariano.

    Parameters
    ----------
    comparison : Comparison
    level : float, default=0.05
        Of the verdict.

    Returns
    -------
    DataFrame, indexed by model
        ``MSE``, ``ratio`` (to the best classical model's), ``statistic``, ``pvalue``,
        ``pvalue_holm`` (adjusted for all rows) and ``verdict``: "better" or "worse" where the
        adjusted p-value is below ``level`` and the MSE differs by more than 1 %, "tie" elsewhere,
        "too few origins" below six, and "benchmark" for the best classical model itself. Empty
        if no classical model served every origin.

    Raises
    ------
    ConfigurationError
        If ``level`` does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise ConfigurationError("level", found=level, wanted="a number between 0 and 1")
    columns = ["MSE", "ratio", "statistic", "pvalue", "pvalue_holm", "verdict"]
    best = comparison.best_classical
    if best is None:
        return pd.DataFrame(columns=columns).rename_axis("model")
    mse = comparison.scores()["MSE"].sort_values(kind="stable")
    losses = comparison.scores("origin")["MSE"].unstack("model")
    table = pd.DataFrame(index=mse.index.rename("model"), columns=columns[:5], dtype=float)
    table["MSE"], table["ratio"] = mse, mse / mse[best]
    others = [model for model in mse.index if model != best]
    n, h = len(losses), comparison.overlap
    enough = n >= FEWEST_ORIGINS_FOR_AN_ERROR and n + 1 - 2 * h + h * (h - 1) / n > 0
    if enough and others:
        outcomes = [diebold_mariano(losses[model], losses[best], h) for model in others]
        table.loc[others, "statistic"] = [outcome.statistic for outcome in outcomes]
        table.loc[others, "pvalue"] = [outcome.pvalue for outcome in outcomes]
        table.loc[others, "pvalue_holm"] = holm([outcome.pvalue for outcome in outcomes])
    table["verdict"] = "too few origins"
    for model in others if enough else ():
        clear = table.loc[model, "pvalue_holm"] < level and abs(table["ratio"][model] - 1) > (
            TIE_SHARE
        )
        outcome = "better" if table.loc[model, "ratio"] < 1 else "worse"
        table.loc[model, "verdict"] = outcome if clear else "tie"
    table.loc[best, "verdict"] = "benchmark"
    return table


def nested_tests(comparison: Comparison) -> pd.DataFrame:
    """Return Clark and West's test for each model and each of its special cases, series by series.

    The forecasts tested are those one step ahead. A larger model pays for what it estimates, so
    that the plain test of a difference almost never finds it better; this one corrects for that.

    Returns
    -------
    DataFrame
        One row for each pair and series: ``larger``, ``smaller``, ``series``, ``statistic``,
        ``pvalue`` (one-sided: the larger model foresees something), ``pvalue_holm`` (adjusted
        for all rows), ``mse_smaller`` and ``mse_larger`` in the units of the series, squared.
        Empty with fewer than 20 origins.
    """
    columns = ["larger", "smaller", "series", "statistic", "pvalue", "pvalue_holm"]
    columns += ["mse_smaller", "mse_larger"]
    served = set(comparison.scores().index)
    pairs = [pair for pair in comparison.nested if set(pair) <= served]
    if len(comparison.origins) < FEWEST_ORIGINS or not pairs:
        return pd.DataFrame(columns=columns)
    ahead = comparison.errors.query("step == 1")
    forecasts = ahead.pivot(index="origin", columns=["model", "series"], values="y_pred")
    truth = ahead.drop_duplicates(["origin", "series"]).pivot(
        index="origin", columns="series", values="y_true"
    )
    scored = comparison.scales.index[comparison.scales["deviation"].notna()]
    rows = []
    for larger, smaller in pairs:
        for series in scored:
            actual = truth[series].to_numpy()
            outcome = clark_west(
                actual,
                forecasts[smaller, series].to_numpy(),
                forecasts[larger, series].to_numpy(),
            )
            rows.append(
                {
                    "larger": larger,
                    "smaller": smaller,
                    "series": series,
                    "statistic": outcome.statistic,
                    "pvalue": outcome.pvalue,
                    "mse_smaller": outcome.mse_restricted,
                    "mse_larger": outcome.mse_full,
                }
            )
    table = pd.DataFrame(rows)
    table["pvalue_holm"] = holm(table["pvalue"])
    return table[columns]


def confidence_set(comparison: Comparison, size: float = 0.1) -> pd.DataFrame:
    """Return the model confidence set: the rows among which the best one is, 9 times in 10.

    Hansen, Lunde and Nason (2011, Econometrica 79:453-497), as `arch.bootstrap.MCS` has it: the
    range statistic, a moving-block bootstrap of the losses by origin with a fixed seed.

    Parameters
    ----------
    comparison : Comparison
    size : float, default=0.1
        Probability that the set misses the best model.

    Returns
    -------
    DataFrame, indexed by model
        ``pvalue`` and ``included``. Rows with the same losses share them.

    Raises
    ------
    DataError
        With fewer than ten origins, or fewer than two models that served them all.
    MissingPackageError
        If arch is not installed.
    """
    bootstrap = require("arch.bootstrap", "the model confidence set", "report")
    losses = comparison.scores("origin")["MSE"].unstack("model")
    if len(losses) < FEWEST_ORIGINS_FOR_A_SET or losses.shape[1] < 2:
        raise DataError(
            "no model confidence set",
            found=f"{losses.shape[1]} models at {len(losses)} origins",
            wanted=f"at least 2 models at {FEWEST_ORIGINS_FOR_A_SET} origins",
        )
    same = {model: losses.columns[i] for i, model in _first_equal(losses)}
    distinct = losses[list(dict.fromkeys(same.values()))]
    if distinct.shape[1] == 1:
        pvalues = pd.Series(1.0, index=distinct.columns)
    else:
        found = bootstrap.MCS(
            distinct,
            size=size,
            reps=REPETITIONS,
            block_size=comparison.overlap,
            method="R",
            bootstrap="moving block",
            seed=0,
        )
        found.compute()
        pvalues = found.pvalues["Pvalue"]
    table = pd.DataFrame({"pvalue": [float(pvalues[same[model]]) for model in losses]})
    table.index = losses.columns.rename("model")
    table["included"] = table["pvalue"] > size
    return table.sort_values("pvalue", ascending=False, kind="stable")


def _first_equal(losses: pd.DataFrame) -> list[tuple[int, str]]:
    """Return for each model the position of the first model with the same losses."""
    values = losses.to_numpy()
    return [
        (int(np.flatnonzero(np.isclose(values, values[:, [j]], rtol=1e-12).all(axis=0))[0]), model)
        for j, model in enumerate(losses.columns)
    ]
