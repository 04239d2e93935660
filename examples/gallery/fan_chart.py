"""Two years ahead with intervals: three macroeconomic series of the United States, nothing trained.

Run: python examples/gallery/fan_chart.py      # writes fan_chart.png
"""

import pandas as pd
from statsmodels.datasets import macrodata

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.plots import plot_fan, save_figure

table = macrodata.load_pandas().data
quarters = pd.period_range("1959Q1", periods=len(table), freq="Q")
y = table.set_axis(quarters)[["infl", "unemp", "tbilrate"]]

forecaster = SAMoVARForecaster().fit(y, fh=range(1, 9))
axes = plot_fan(
    y,
    forecaster.predict(),
    forecaster.predict_interval(coverage=[0.5, 0.8]),
    n_history=60,
    units={"infl": "% a year", "unemp": "%", "tbilrate": "%"},
    label="SAMoVAR",
    title="Two years ahead from 2009Q3, with 50 and 80 % intervals",
)
print(f"figure: {save_figure(axes, 'fan_chart.png', dpi=80)}")
