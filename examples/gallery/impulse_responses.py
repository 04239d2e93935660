"""Impulse responses with bands, and a LaTeX table of the same: prices, jobs, interest.

Run: python examples/gallery/impulse_responses.py      # writes impulse_responses.png
"""

import pandas as pd
from statsmodels.datasets import macrodata

from samovar_forecast import read_var
from samovar_forecast.plots import plot_responses, save_figure

table = macrodata.load_pandas().data[["infl", "unemp", "tbilrate"]].iloc[1:]
y = table.set_axis(pd.period_range("1959Q2", periods=len(table), freq="Q"))

var = read_var(y, horizon=12)
responses = var.irf(12, orth=True, bands="bootstrap", n_draws=19)
print(responses.to_latex())
axes = plot_responses(responses, units={"infl": "% a year", "unemp": "%", "tbilrate": "%"})
print(f"figure: {save_figure(axes, 'impulse_responses.png', dpi=80)}")
