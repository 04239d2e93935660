"""Whether a difference between two rows is more than chance: tests over origins, from tables.

The loss of a model at an origin is its mean squared error there, over all steps and series, in
deviations of the first training window. Losses of origins less than a horizon apart share steps,
so that all tests allow for it: ``overlap`` says how many neighbouring losses share something, 1 if
none do.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from samovar_forecast.accuracy_tests import (
    FEWEST_ORIGINS,
    clark_west,
    diebold_mariano,
    enough_losses,
    holm,
    model_confidence_set,
)
from samovar_forecast.comparison.metrics import FEWEST_ORIGINS_FOR_AN_ERROR, TIE_SHARE
from samovar_forecast.exceptions import ConfigurationError, DataError

FEWEST_ORIGINS_FOR_A_SET = 10
"""With fewer origins almost every model may be the best, and there is no confidence set."""


def margins(mse: pd.Series, losses: pd.DataFrame, overlap: int) -> pd.DataFrame:
    """Return by how much the MSE of each model exceeds the least.

    Parameters
    ----------
    mse : Series, indexed by model
        Mean losses, the least first.
    losses : DataFrame, shape (n_origins, n_models)
        Losses of the same models.
    overlap : int
        How many neighbouring losses share something.

    Returns
    -------
    DataFrame, indexed by model
        ``MSE``, ``excess`` (share of the least MSE) and ``standard_errors`` (the mean difference
        over origins in standard errors). No test is in it: the least is chosen on the same
        origins.

    Notes
    -----
    The standard error is that of a mean of paired differences, a difference for each origin, as
    the test of Diebold and Mariano has it. It is NaN with fewer than six origins.
    """
    lowest = mse.min()
    table = pd.DataFrame({"MSE": mse, "excess": ((mse - lowest) / lowest).fillna(0.0)})
    table["standard_errors"] = [
        _standard_errors(losses[model] - losses[mse.index[0]], overlap) for model in mse.index
    ]
    return table


def _standard_errors(difference: pd.Series, overlap: int) -> float:
    """Return the mean difference over its standard error; NaN where there is no saying."""
    if not _enough(len(difference), overlap) or np.ptp(difference) == 0:
        return float("nan")
    values = difference.to_numpy()
    return diebold_mariano(values, np.zeros_like(values), overlap).statistic


def _enough(n_origins: int, overlap: int) -> bool:
    """Tell whether so many origins say anything of chance."""
    return n_origins >= FEWEST_ORIGINS_FOR_AN_ERROR and enough_losses(n_origins, overlap)


def against_benchmark(
    mse: pd.Series,
    losses: pd.DataFrame,
    benchmark: str | None,
    overlap: int,
    level: float = 0.05,
) -> pd.DataFrame:
    """Return each model's difference to a benchmark, tested by Diebold and Mariano.

    Parameters
    ----------
    mse, losses, overlap
        As in `margins`.
    benchmark : str or None
        The model that the others have to beat; None if there is no such model.
    level : float, default=0.05
        Level of the tests behind the verdict.

    Returns
    -------
    DataFrame, indexed by model
        ``MSE``, ``ratio`` (to the benchmark's), ``statistic``, ``pvalue``, ``pvalue_holm``
        (adjusted for all rows) and ``verdict``: "better" or "worse" where the adjusted p-value is
        below ``level`` and the MSE differs by more than 1 %, "tie" elsewhere, "too few origins"
        below six, and "benchmark" for the benchmark itself. Empty without a benchmark.

    Raises
    ------
    ConfigurationError
        If ``level`` does not lie between 0 and 1.
    """
    if not 0 < level < 1:
        raise ConfigurationError("level", found=level, wanted="a number between 0 and 1")
    columns = ["MSE", "ratio", "statistic", "pvalue", "pvalue_holm", "verdict"]
    if benchmark is None:
        return pd.DataFrame(columns=columns).rename_axis("model")
    table = pd.DataFrame(index=mse.index.rename("model"), columns=columns[:5], dtype=float)
    table["MSE"], table["ratio"] = mse, mse / mse[benchmark]
    others = [model for model in mse.index if model != benchmark]
    enough = _enough(len(losses), overlap)
    if enough and others:
        outcomes = [diebold_mariano(losses[model], losses[benchmark], overlap) for model in others]
        table.loc[others, "statistic"] = [outcome.statistic for outcome in outcomes]
        table.loc[others, "pvalue"] = [outcome.pvalue for outcome in outcomes]
        table.loc[others, "pvalue_holm"] = holm([outcome.pvalue for outcome in outcomes])
    table["verdict"] = "too few origins"
    for model in others if enough else ():
        ratio = table["ratio"][model]
        clear = table.loc[model, "pvalue_holm"] < level and abs(ratio - 1) > TIE_SHARE
        table.loc[model, "verdict"] = ("better" if ratio < 1 else "worse") if clear else "tie"
    table.loc[benchmark, "verdict"] = "benchmark"
    return table


def nested_tests(
    forecasts: pd.DataFrame, nested: Sequence[tuple[str, str, Sequence[object]]]
) -> pd.DataFrame:
    """Return Clark and West's test for each model and each of its special cases, series by series.

    A larger model pays for what it estimates, so that the plain test of a difference almost never
    finds it better; this test corrects for that.

    Parameters
    ----------
    forecasts : DataFrame
        Forecasts one step ahead, a row a number: ``model``, ``origin``, ``series``, ``y_true``,
        ``y_pred``.
    nested : sequence of (str, str, sequence of labels)
        A model, a special case of it, and the series to test; a pair with a model that has no
        forecasts is passed over.

    Returns
    -------
    DataFrame
        A row for each pair and series: ``larger``, ``smaller``, ``series``, ``statistic``,
        ``pvalue`` (one-sided: the larger model foresees something), ``pvalue_holm`` (adjusted
        for all rows), ``mse_smaller`` and ``mse_larger`` in the units of the series, squared.
        Empty with fewer than 20 origins, or where nothing is nested.
    """
    columns = ["larger", "smaller", "series", "statistic", "pvalue", "pvalue_holm"]
    columns += ["mse_smaller", "mse_larger"]
    served = set(forecasts["model"])
    pairs = [pair for pair in nested if set(pair[:2]) <= served and len(pair[2])]
    if forecasts["origin"].nunique() < FEWEST_ORIGINS or not pairs:
        return pd.DataFrame(columns=columns)
    by_model = forecasts.pivot(index="origin", columns=["model", "series"], values="y_pred")
    truth = forecasts.drop_duplicates(["origin", "series"]).pivot(
        index="origin", columns="series", values="y_true"
    )
    rows = []
    for larger, smaller, names in pairs:
        for series in names:
            actual = truth[series].to_numpy()
            outcome = clark_west(
                actual,
                by_model[smaller, series].to_numpy(),
                by_model[larger, series].to_numpy(),
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


def confidence_set(losses: pd.DataFrame, overlap: int, size: float = 0.1) -> pd.DataFrame:
    """Return the model confidence set: the rows among which the best model is, 9 times in 10.

    See `samovar_forecast.accuracy_tests.model_confidence_set`.

    Parameters
    ----------
    losses : DataFrame, shape (n_origins, n_models)
    overlap : int
        How many neighbouring losses share something.
    size : float, default=0.1
        Probability that the set misses the best model.

    Returns
    -------
    DataFrame, indexed by model
        ``pvalue`` and ``included``. Rows with the same losses share them.

    Raises
    ------
    DataError
        With fewer than ten origins or twice the overlap, or fewer than two models that served
        them all.
    """
    fewest = max(FEWEST_ORIGINS_FOR_A_SET, 2 * overlap)
    if len(losses) < fewest or losses.shape[1] < 2:
        raise DataError(
            "no model confidence set",
            found=f"{losses.shape[1]} models at {len(losses)} origins",
            wanted=f"at least 2 models at {fewest} origins",
        )
    same = {model: losses.columns[i] for i, model in _first_equal(losses)}
    distinct = losses[list(dict.fromkeys(same.values()))]
    pvalues = pd.Series(model_confidence_set(distinct.to_numpy(), overlap), distinct.columns)
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
