"""A calendar as covariates in a pipeline of sktime: carbon dioxide on Mauna Loa, a year ahead.

Run: python examples/gallery/known_ahead.py      # writes known_ahead.png

Weekly measurements with gaps, which may stay. A transformer makes waves of one year of the number
of the week, which is known ahead, and the forecaster takes the waves as covariates.
"""

import matplotlib.pyplot as plt
import pandas as pd
from sktime.transformations.series.fourier import FourierFeatures
from statsmodels.datasets import co2

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.plots import plot_fan, save_figure

HORIZON = 52
WEEKS = 365.25 / 7

y = co2.load_pandas().data.loc["1985":]
number = pd.DataFrame({"week": range(len(y))}, index=y.index, dtype=float)
past, future = y.iloc[:-HORIZON], y.iloc[-HORIZON:]

waves = FourierFeatures([WEEKS], [2], keep_original_columns=False)
pipeline = waves ** SAMoVARForecaster()
pipeline.fit(past, X=number.loc[past.index], fh=range(1, HORIZON + 1))
X = number.loc[future.index]
forecast, intervals = pipeline.predict(X=X), pipeline.predict_interval(X=X, coverage=0.8)

print("mean absolute error, parts per million:", (forecast - future).abs().mean().round(2).item())
axes = plot_fan(
    past,
    forecast,
    intervals,
    n_history=3 * HORIZON,
    units={"co2": "parts per million"},
    label="SAMoVAR with a calendar",
    title="Carbon dioxide on Mauna Loa, a year ahead; dotted: measured later",
    figure=plt.figure(figsize=(8, 4), layout="constrained"),
)
axes[0].plot(future.index, future["co2"], color="black", linestyle=":", zorder=5)
print(f"figure: {save_figure(axes, 'known_ahead.png', dpi=80)}")
