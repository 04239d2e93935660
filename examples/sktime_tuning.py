"""Choose a network for US macroeconomic series by cross-validation, and test the choice later.

Run: python examples/sktime_tuning.py [--figure tuning.png]

Four quarterly series (statsmodels' macrodata) are forecast a year ahead. Lookback,
normalisation and whether the linear forecast stands beside it are chosen on years up to 1994 by
sktime's grid search; what it chose then forecasts 1995 to 2009, beside its last choice, a VAR
and the last value. Nothing that is tested was tuned on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sktime.forecasting.base import BaseForecaster
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.model_selection import ForecastingGridSearchCV
from sktime.forecasting.naive import NaiveForecaster
from sktime.forecasting.var import VAR
from sktime.performance_metrics.forecasting import MeanAbsoluteError
from sktime.split import ExpandingWindowSplitter
from statsmodels.datasets import macrodata

from samovar_forecast import SAMoVARForecaster

HORIZON = [1, 2, 3, 4]
LAST_TUNED = "1994Q4"
GRID = {
    "context_length": [8, 24],
    "normalization": ["last_patch", "window"],
    "linear": [False, True],
}


def load() -> pd.DataFrame:
    """Growth and inflation in percent a year, unemployment and treasury bill rate in percent."""
    raw = macrodata.load_pandas().data
    raw.index = pd.period_range("1959Q1", periods=len(raw), freq="Q")
    columns = {
        "growth": 400 * np.log(raw["realgdp"]).diff(),
        "inflation": raw["infl"],
        "unemployment": raw["unemp"],
        "rate": raw["tbilrate"],
    }
    return pd.DataFrame(columns).iloc[1:]


def candidate(epochs: int) -> SAMoVARForecaster:
    """What is tuned: a small network, trained here, alone or beside the linear forecast."""
    return SAMoVARForecaster(
        pretrained=False,
        train=True,
        patch_length=4,
        d_model=16,
        n_layers=1,
        max_epochs=epochs,
        learning_rate=3e-3,
        random_state=0,
    )


def tune(y: pd.DataFrame, epochs: int) -> ForecastingGridSearchCV:
    """Grid search over nine folds of a year each, 1986 to 1994."""
    past = y.loc[:LAST_TUNED]
    folds = ExpandingWindowSplitter(fh=HORIZON, initial_window=len(past) - 36, step_length=4)
    search = ForecastingGridSearchCV(
        candidate(epochs),
        folds,
        GRID,
        scoring=MeanAbsoluteError(),
        strategy="no-update_params",
        backend="None",
        error_score="raise",
    )
    return search.fit(past / past.std(), fh=HORIZON)


def test(y: pd.DataFrame, models: dict[str, BaseForecaster]) -> dict[str, pd.DataFrame]:
    """Backtest on the years that were not tuned on, in units of deviations until then."""
    first = len(y.loc[:LAST_TUNED])
    folds = ExpandingWindowSplitter(fh=HORIZON, initial_window=first, step_length=4)
    scaled = y / y.iloc[:first].std()
    return {
        name: evaluate(
            model,
            folds,
            scaled,
            # sktime's VAR does not move on without being refitted
            strategy="refit" if isinstance(model, VAR) else "no-update_params",
            scoring=MeanAbsoluteError(),
            error_score="raise",
        )
        for name, model in models.items()
    }


def draw(results: pd.DataFrame, errors: pd.Series, path: Path) -> None:
    """Error of every candidate in cross-validation, and of the models in the test."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
    names = [
        f"{one['context_length']} quarters, {one['normalization']}"
        f"{', linear' if one['linear'] else ''}"
        for one in results["params"]
    ]
    left.barh(names, results["mean_test_MeanAbsoluteError"], color="C0")
    left.set_title("cross-validation, 1986 to 1994", loc="left")
    right.barh(list(errors.index), errors.to_numpy(), color="C1")
    right.set_title("test, 1995 to 2009", loc="left")
    for ax in (left, right):
        ax.set_xlabel("mean absolute error (deviations)")
        ax.invert_yaxis()
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> pd.Series:
    """Tune, test, print the tables, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--figure", type=Path, default=Path("tuning.png"))
    chosen = parser.parse_args(arguments)
    y = load()
    search = tune(y, chosen.epochs)
    results = search.cv_results_.sort_values("mean_test_MeanAbsoluteError")
    shown = pd.DataFrame(list(results["params"])).assign(
        error=results["mean_test_MeanAbsoluteError"].to_numpy()
    )
    print("Cross-validation\n", shown.round(3).to_string(index=False), sep="")
    worst = candidate(chosen.epochs).set_params(**results["params"].iloc[-1])
    models = {
        "tuned": candidate(chosen.epochs).set_params(**search.best_params_),
        "worst in tuning": worst,
        "VAR(2)": VAR(maxlags=2),
        "last value": NaiveForecaster(),
    }
    found = test(y, models)
    errors = pd.Series({name: one["test_MeanAbsoluteError"].mean() for name, one in found.items()})
    print("\nTest\n", errors.round(3).to_string(), sep="")
    draw(results, errors, chosen.figure)
    print(f"figure: {chosen.figure}")
    return errors


if __name__ == "__main__":
    main()
