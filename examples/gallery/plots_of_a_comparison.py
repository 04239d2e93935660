"""Every figure of a comparison on a single sheet, each by its call.

Run: python examples/gallery/plots_of_a_comparison.py      # writes plots_of_a_comparison.png
"""

import matplotlib.pyplot as plt
import pandas as pd
from statsmodels.datasets import macrodata

import samovar_forecast.plots as plots
from samovar_forecast import compare

table = macrodata.load_pandas().data[["infl", "unemp", "tbilrate"]].iloc[1:]
y = table.set_axis(pd.period_range("1959Q2", periods=len(table), freq="Q"))
found = compare(y, 8, n_origins=8, refit="first")

sheet = plt.figure(figsize=(9, 17), layout="constrained")
first, *others, last = sheet.subfigures(5, 1, height_ratios=[3, 3, 3, 3, 3])
models = ["SAMoVAR", "SAMoVAR linear", "VAR", "Naive"]
plots.plot_forecasts(found, origin=-1, interval_of="SAMoVAR", figure=first)
plots.plot_errors_by_step(found, "MSE", models=models, ax=others[0].subplots())
plots.plot_errors_by_origin(found, models=models, ax=others[1].subplots())
plots.plot_errors_by_series(found, models=models, ax=others[2].subplots())
axes = plots.plot_calibration(found, models=models, figure=last)
print(f"figure: {plots.save_figure(axes, 'plots_of_a_comparison.png', dpi=80)}")
