"""Backtest SAMoVARModel beside VARIMA and NLinear on US macroeconomic series, in one darts loop.

Run: python examples/darts_backtest.py      # draws darts_backtest.png

Four quarterly series (statsmodels' macrodata) are forecast a year ahead, once a year since 1991.
darts' own calls do the work, and are the same for the three models: only that VARIMA is a local
model, which has to be fitted again at every origin, while the networks are trained once on the
quarters before the first origin.
"""

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

START = pd.Timestamp("1991-01-01")


def load() -> TimeSeries:
    """Growth and inflation in percent a year, unemployment and treasury bill rate in percent."""
    raw = macrodata.load_pandas().data
    frame = raw[["infl", "unemp", "tbilrate"]].assign(gdp=400 * np.log(raw["realgdp"]).diff())
    quarters = pd.date_range("1959-01-01", periods=len(raw), freq="QS")
    frame = frame[["gdp", "infl", "unemp", "tbilrate"]].set_axis(quarters).iloc[1:]
    return TimeSeries.from_dataframe(frame.astype("float32"))


def main(epochs: int = 30, path: str | Path = "darts_backtest.png") -> pd.DataFrame:
    """Backtest, print the table of errors in deviations of the series, draw the figure."""
    trainer = {"accelerator": "cpu", "enable_progress_bar": False}
    size = {"input_chunk_length": 24, "output_chunk_length": 4, "n_epochs": epochs}
    network = {**size, "random_state": 0, "pl_trainer_kwargs": trainer}
    models = {
        "SAMoVAR": SAMoVARModel(d_model=32, dropout=0.2, **network),
        "NLinear": NLinearModel(**network),
        "VARIMA(2, 0, 0)": VARIMA(p=2),
    }
    series = load()
    scaler = Scaler(StandardScaler(), global_fit=False)
    past = scaler.fit_transform(series.drop_after(START))
    figure, axes = plt.subplots(2, 1, figsize=(10, 7), sharex=True, layout="constrained")
    shown = series.drop_before(START - 8 * series.freq)
    rows = {}
    for name, model in models.items():
        is_local = isinstance(model, VARIMA)
        if not is_local:
            model.fit(past)
        origins = {"start": START, "forecast_horizon": 4, "stride": 4, "retrain": is_local}
        scaled = scaler.transform(series)
        found = model.historical_forecasts(scaled, last_points_only=False, **origins)
        forecasts = [scaler.inverse_transform(forecast) for forecast in found]
        errors = [mae(series, forecast, component_reduction=None) for forecast in forecasts]
        rows[name] = np.mean(errors, axis=0) / series.values().std(axis=0)
        joined = concatenate(forecasts)
        for ax, component in zip(axes, ("gdp", "unemp"), strict=True):
            ax.plot(joined.time_index, joined[component].values(), label=name, linewidth=1)
    for ax, component, unit in zip(axes, ("gdp", "unemp"), ("% a year", "%"), strict=True):
        ax.plot(shown.time_index, shown[component].values(), color="black", label="actual")
        ax.set_title(f"{component}, forecast a year ahead", loc="left")
        ax.set_ylabel(unit)
    axes[0].legend(ncols=4, loc="lower left", frameon=False)
    figure.savefig(path, dpi=150)
    table = pd.DataFrame(rows, index=series.components).T
    table = table.assign(mean=table.mean(axis=1)).sort_values("mean")
    print(f"{table.round(3).to_string()}\nfigure: {path}")
    return table


if __name__ == "__main__":
    main()
