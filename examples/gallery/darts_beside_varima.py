"""A backtest in darts: the pretrained network beside VARIMA, a year ahead, from the same origins.

Run: python examples/gallery/darts_beside_varima.py      # writes darts_beside_varima.png
"""

import matplotlib.pyplot as plt
import pandas as pd
from darts import TimeSeries, concatenate
from darts.metrics import mae
from darts.models import VARIMA
from statsmodels.datasets import macrodata

from samovar_forecast import SAMoVARZeroShotModel

HORIZON = 4
START = pd.Timestamp("2000-01-01")

table = macrodata.load_pandas().data[["infl", "unemp", "tbilrate"]].iloc[1:]
quarters = pd.date_range("1959-04-01", periods=len(table), freq="QS")
series = TimeSeries.from_dataframe(table.set_axis(quarters))

network = SAMoVARZeroShotModel(
    input_chunk_length=(8, 512),
    output_chunk_length=HORIZON,
    pl_trainer_kwargs={"accelerator": "cpu", "enable_progress_bar": False},
)
network.fit(series.drop_after(START))  # trains nothing
figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
shown = series.drop_before(START - 8 * series.freq)
ax.plot(shown.time_index, shown["unemp"].values(), color="black", label="what came")
for model, name in ((network, "SAMoVAR, zero-shot"), (VARIMA(p=2), "VARIMA(2, 0, 0)")):
    forecasts = model.historical_forecasts(
        series,
        start=START,
        forecast_horizon=HORIZON,
        stride=HORIZON,
        retrain=model is not network,
        last_points_only=False,
    )
    error = sum(mae(series, forecast) for forecast in forecasts) / len(forecasts)
    joined = concatenate(forecasts)
    label = f"{name}: error over all series {error:.2f}"
    print(label)
    ax.plot(joined.time_index, joined["unemp"].values(), label=label)
ax.set_title("Unemployment, forecast a year ahead", loc="left")
ax.set_ylabel("% of labour force")
ax.legend(frameon=False)
figure.savefig("darts_beside_varima.png", dpi=80)
print("figure: darts_beside_varima.png")
