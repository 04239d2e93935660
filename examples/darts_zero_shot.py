"""Backtest the pretrained network beside VARIMA, without any training.

Run: python examples/darts_zero_shot.py

Four quarterly series (statsmodels' macrodata) are forecast a year ahead, twice a year since 1991.
The pretrained network has seen none of them: all its forecasts come from a single call, in batches.
VARIMA is fitted again at every origin.
"""

import numpy as np
import pandas as pd
from darts import TimeSeries
from darts.metrics import mae, mic
from darts.models import VARIMA
from darts.utils.likelihood_models import QuantileRegression
from statsmodels.datasets import macrodata

from samovar_forecast import SAMoVARZeroShotModel

HORIZON = 4
FIRST_FORECAST = pd.Timestamp("1991-01-01")


def load() -> TimeSeries:
    """Growth and inflation in percent a year, unemployment and treasury bill rate in percent."""
    raw = macrodata.load_pandas().data
    columns = {
        "gdp": 400 * np.log(raw["realgdp"]).diff(),
        "inflation": raw["infl"],
        "unemployment": raw["unemp"],
        "tbill": raw["tbilrate"],
    }
    quarters = pd.date_range("1959-01-01", periods=len(raw), freq="QS")
    return TimeSeries.from_dataframe(pd.DataFrame(columns).set_axis(quarters).iloc[1:])


def build(likelihood: QuantileRegression | None = None) -> SAMoVARZeroShotModel:
    """The pretrained network; without a likelihood it forecasts the median."""
    return SAMoVARZeroShotModel(
        input_chunk_length=(8, 200),
        output_chunk_length=HORIZON,
        likelihood=likelihood,
        pl_trainer_kwargs={"accelerator": "cpu", "enable_progress_bar": False},
    )


def main() -> pd.DataFrame:
    """Backtest, print mean absolute errors and how many values the 80 % intervals hold."""
    series = load()
    past = series.drop_after(FIRST_FORECAST)
    origins = {"start": FIRST_FORECAST, "forecast_horizon": HORIZON, "stride": 2}
    rows = {}
    for name, model in {"SAMoVAR, zero-shot": build(), "VARIMA(2, 0, 0)": VARIMA(p=2)}.items():
        is_local = isinstance(model, VARIMA)
        if not is_local:
            model.fit(past)  # trains nothing
        forecasts = model.historical_forecasts(
            series, retrain=is_local, last_points_only=False, **origins
        )
        errors = [mae(series, forecast, component_reduction=None) for forecast in forecasts]
        rows[name] = np.mean(errors, axis=0) / series.values().std(axis=0)
    table = pd.DataFrame(rows, index=series.components).T
    print(table.assign(mean=table.mean(axis=1)).round(3).to_string())

    intervals = (
        build(QuantileRegression([0.1, 0.5, 0.9]))
        .fit(past)
        .historical_forecasts(series, retrain=False, predict_likelihood_parameters=True, **origins)
    )
    held = mic(series, intervals, q_interval=(0.1, 0.9), component_reduction=None)
    print(
        "inside the 80 % interval, a year ahead:",
        dict(zip(series.components, held.round(2), strict=True)),
    )
    return table


if __name__ == "__main__":
    main()
