"""Who forecasts best, and how far ahead? The same origins for SAMoVAR and classical models.

Run: python examples/gallery/leaderboard.py      # writes leaderboard.png
"""

import pandas as pd
from statsmodels.datasets import macrodata

from samovar_forecast import compare
from samovar_forecast.plots import plot_errors_by_step, save_figure

table = macrodata.load_pandas().data[["infl", "unemp", "tbilrate"]].iloc[1:]
y = table.set_axis(pd.period_range("1959Q2", periods=len(table), freq="Q"))

comparison = compare(y, 8, n_origins=12, refit=4)
print(comparison)
ax = plot_errors_by_step(comparison, models=["SAMoVAR", "VAR", "AR", "Naive"])
print(f"figure: {save_figure(ax, 'leaderboard.png', dpi=80)}")
