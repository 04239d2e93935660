"""A calendar as covariates, in one sktime pipeline: carbon dioxide on Mauna Loa, half a year ahead.

Run: python examples/sktime_pipeline_with_covariates.py [--figure covariates.png]

Weekly measurements from 1974 to 2001 (statsmodels' co2), a few weeks of them missing: the
forecaster masks those, nothing is filled. It sees half a year of the past, too little to know the
season. The pipeline makes waves of one year of the calendar, which is known ahead, and gives them
to the forecaster as future covariates.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from sktime.forecasting.base import BaseForecaster
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.naive import NaiveForecaster
from sktime.performance_metrics.forecasting import MeanAbsoluteError
from sktime.split import ExpandingWindowSplitter
from sktime.transformations.series.fourier import FourierFeatures
from statsmodels.datasets import co2

from samovar_forecast import SAMoVARForecaster

HORIZON = range(1, 27)
WEEKS = 365.25 / 7
FIRST_FORECAST = "1994-01-01"


def load() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Parts per million, and a calendar for the same weeks."""
    y = co2.load_pandas().data.loc["1974":]
    calendar = pd.DataFrame({"week": range(len(y))}, index=y.index, dtype=float)
    return y, calendar


def build(epochs: int) -> dict[str, BaseForecaster]:
    """The same network without and with the calendar, and a yardstick."""
    network = SAMoVARForecaster(
        linear=False,
        pretrained=False,
        train=True,
        patch_length=13,
        context_length=26,
        d_model=16,
        dropout=0.0,  # little width to spare
        n_layers=1,
        learning_rate=3e-3,
        max_epochs=epochs,
        batch_size=64,
        random_state=0,
    )
    waves = FourierFeatures([WEEKS], [2], keep_original_columns=False)
    return {
        "last year's value": NaiveForecaster(sp=52),
        "without calendar": network,
        "with calendar": waves**network,
    }


def backtest(
    y: pd.DataFrame, calendar: pd.DataFrame, models: dict[str, BaseForecaster]
) -> dict[str, pd.DataFrame]:
    """Two forecasts a year since 1994, all from networks that were trained on the years before."""
    first = int(y.index.searchsorted(pd.Timestamp(FIRST_FORECAST)))
    folds = ExpandingWindowSplitter(fh=HORIZON, initial_window=first, step_length=len(HORIZON))
    # The yardstick cannot do with holes; it and the errors get the week before instead.
    filled = y.ffill()
    return {
        name: evaluate(
            model,
            folds,
            filled if isinstance(model, NaiveForecaster) else y,
            X=calendar if name == "with calendar" else None,
            strategy="refit" if isinstance(model, NaiveForecaster) else "no-update_params",
            scoring=MeanAbsoluteError(),
            return_data=True,
            error_score="raise",
        )
        for name, model in models.items()
    }


def scores(y: pd.DataFrame, results: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Mean absolute error near and far, over the weeks that were measured."""
    rows = {}
    for name, result in results.items():
        errors = pd.concat(
            [
                (forecast - y.loc[forecast.index]).abs().set_axis(list(HORIZON))
                for forecast in result["y_pred"]
            ],
            axis=1,
        ).mean(axis=1)
        rows[name] = {"weeks 1 to 13": errors[:13].mean(), "weeks 14 to 26": errors[13:].mean()}
    return pd.DataFrame(rows).T


def draw(y: pd.DataFrame, results: dict[str, pd.DataFrame], path: Path) -> None:
    """The last four forecasts of each model."""
    figure, ax = plt.subplots(figsize=(10, 4.5), layout="constrained")
    shown = y.iloc[-8 * len(HORIZON) :]
    ax.plot(shown.index, shown["co2"], color="black", label="measured")
    for colour, (name, result) in zip(("C2", "C1", "C0"), results.items(), strict=True):
        for number, forecast in enumerate(result["y_pred"].iloc[-4:]):
            label = name if number == 0 else None
            ax.plot(forecast.index, forecast["co2"], color=colour, label=label, lw=1.2)
    ax.set_title("Carbon dioxide on Mauna Loa, forecast half a year ahead", loc="left")
    ax.set_ylabel("parts per million")
    ax.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> pd.DataFrame:
    """Backtest, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--figure", type=Path, default=Path("covariates.png"))
    chosen = parser.parse_args(arguments)
    y, calendar = load()
    results = backtest(y, calendar, build(chosen.epochs))
    table = scores(y, results)
    print("Mean absolute error, parts per million\n", table.round(2).to_string(), sep="")
    draw(y, results, chosen.figure)
    print(f"figure: {chosen.figure}")
    return table


if __name__ == "__main__":
    main()
