"""Backtest SAMoVARModel beside VARIMA and NLinear on US macroeconomic series, in one darts loop.

Run: python examples/darts_backtest.py [--figure darts_backtest.png]

Four quarterly series (statsmodels' macrodata) are forecast a year ahead, once a year since 1991.
darts' own calls do the work, and are the same for the three models: only that VARIMA is a local
model, which has to be fitted again at every origin, while the networks are trained once on the
quarters before the first origin.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from darts import TimeSeries, concatenate
from darts.dataprocessing.transformers import Scaler
from darts.metrics import mae
from darts.models import VARIMA, NLinearModel
from sklearn.preprocessing import StandardScaler
from statsmodels.datasets import macrodata

from samovar_forecast import SAMoVARModel

HORIZON = 4
FIRST_FORECAST = pd.Timestamp("1991-01-01")


def load() -> TimeSeries:
    """Growth and inflation in percent a year, unemployment and treasury bill rate in percent."""
    raw = macrodata.load_pandas().data
    quarters = pd.date_range("1959-01-01", periods=len(raw), freq="QS")
    columns = {
        "gdp": 400 * np.log(raw["realgdp"]).diff(),
        "inflation": raw["infl"],
        "unemployment": raw["unemp"],
        "tbill": raw["tbilrate"],
    }
    frame = pd.DataFrame(columns).set_axis(quarters).iloc[1:]
    return TimeSeries.from_dataframe(frame.astype("float32"))


def build(epochs: int) -> dict[str, object]:
    """The three models, under the same lookback and horizon where they have one."""
    network = {
        "input_chunk_length": 24,
        "output_chunk_length": HORIZON,
        "n_epochs": epochs,
        "random_state": 0,
        "pl_trainer_kwargs": {"accelerator": "cpu", "enable_progress_bar": False},
    }
    return {
        "SAMoVAR": SAMoVARModel(d_model=32, dropout=0.2, **network),
        "NLinear": NLinearModel(**network),
        "VARIMA(2, 0, 0)": VARIMA(p=2),
    }


def backtest(series: TimeSeries, models: dict[str, object]) -> dict[str, list[TimeSeries]]:
    """Forecasts of each model from the same origins, in the units of the series."""
    past = series.drop_after(FIRST_FORECAST)
    scaler = Scaler(StandardScaler(), global_fit=False)
    scaled_past, scaled = scaler.fit_transform(past), scaler.transform(series)
    forecasts = {}
    for name, model in models.items():
        is_local = isinstance(model, VARIMA)
        if not is_local:
            model.fit(scaled_past)
        found = model.historical_forecasts(
            scaled,
            start=FIRST_FORECAST,
            forecast_horizon=HORIZON,
            stride=HORIZON,
            retrain=is_local,
            last_points_only=False,
        )
        forecasts[name] = [scaler.inverse_transform(forecast) for forecast in found]
    return forecasts


def scores(series: TimeSeries, forecasts: dict[str, list[TimeSeries]]) -> pd.DataFrame:
    """Mean absolute error of each model and series, relative to the series' deviation."""
    unit = series.values().std(axis=0)
    rows = {
        name: np.mean([mae(series, one, component_reduction=None) for one in found], axis=0) / unit
        for name, found in forecasts.items()
    }
    table = pd.DataFrame(rows, index=series.components).T
    return table.assign(mean=table.mean(axis=1)).sort_values("mean")


def draw(series: TimeSeries, forecasts: dict[str, list[TimeSeries]], path: Path) -> None:
    """Two of the series with the forecasts of each model."""
    shown = ["gdp", "unemployment"]
    figure, axes = plt.subplots(len(shown), 1, figsize=(10, 7), sharex=True, layout="constrained")
    actual = series.drop_before(FIRST_FORECAST - 8 * series.freq)
    for ax, name in zip(axes, shown, strict=True):
        ax.plot(actual.time_index, actual[name].values(), color="black", label="actual")
        for colour, (model, found) in zip(("C0", "C1", "C2"), forecasts.items(), strict=True):
            joined = concatenate(found)
            ax.plot(joined.time_index, joined[name].values(), color=colour, label=model, lw=1)
        ax.set_title(f"{name}, forecast a year ahead", loc="left")
        ax.set_ylabel("% of labour force" if name == "unemployment" else "% a year")
    axes[0].legend(ncols=4, loc="lower left", frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> pd.DataFrame:
    """Backtest, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=30, help="epochs of the two networks")
    parser.add_argument("--figure", type=Path, default=Path("darts_backtest.png"))
    chosen = parser.parse_args(arguments)
    series = load()
    forecasts = backtest(series, build(chosen.epochs))
    table = scores(series, forecasts)
    print(table.round(3).to_string())
    draw(series, forecasts, chosen.figure)
    print(f"figure: {chosen.figure}")
    return table


if __name__ == "__main__":
    main()
