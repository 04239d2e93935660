"""Every figure of the VAR that you can read on a single sheet, each by its call.

Run: python examples/gallery/plots_of_a_var.py      # writes plots_of_a_var.png

Responses with bands and connectedness over time have pictures of their own.
"""

import matplotlib.pyplot as plt
import pandas as pd
from statsmodels.datasets import macrodata

import samovar_forecast.plots as plots
from samovar_forecast import SAMoVARForecaster, read_var

table = macrodata.load_pandas().data[["infl", "unemp", "tbilrate"]].iloc[1:]
y = table.set_axis(pd.period_range("1959Q2", periods=len(table), freq="Q"))
var = read_var(y, horizon=4)
older = var.on(y.iloc[:-1])
network = SAMoVARForecaster(  # a network of our own has tokens, and ways of influence through them
    linear=False, pretrained=False, train=True, max_epochs=5, random_state=0
).fit(y, fh=[1, 2, 3, 4])

sheet = plt.figure(figsize=(9, 29), layout="constrained")
parts = sheet.subfigures(9, 1, height_ratios=[3, 4, 4, 3, 3, 4, 4, 4, 3])
plots.plot_lag_matrices(var.at().coefs, list(y), max_lags=3, unit="effect", figure=parts[0])
both = {str(origin): var.at(origin) for origin in (y.index[-40], y.index[-1])}
plots.plot_lag_profiles(both, max_lags=8, figure=parts[1])
paths = var.coefficient_paths([1], origins=list(y.index[60::12]), part="dynamics")
plots.plot_coefficient_paths(paths, figure=parts[2])
plots.plot_attribution(var.attribution(horizon=4), "infl", ax=parts[3].subplots())
plots.plot_news(older.news(y), "infl", unit="% a year", ax=parts[4].subplots())
plots.plot_decomposition(var.fevd(4), figure=parts[5])
plots.plot_spillovers(var.connectedness(4), ax=parts[6].subplots())
plots.plot_causality(var.test_causality(), ax=parts[7].subplots())
ways = network.explain(y).tokens.influence_paths("infl", step=1, top=5)
ax = plots.plot_influence_paths(ways, ax=parts[8].subplots())
print(f"figure: {plots.save_figure(ax, 'plots_of_a_var.png', dpi=80)}")
