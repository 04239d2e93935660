"""Who moves whom, and when more than usual? Connectedness of four quarterly series over time.

Run: python examples/gallery/connectedness.py      # writes connectedness.png
"""

import pandas as pd
from statsmodels.datasets import macrodata

from samovar_forecast import read_var
from samovar_forecast.plots import plot_connectedness, save_figure

table = macrodata.load_pandas().data
growth = 100 * table[["realgdp", "realcons", "realinv"]].pct_change().assign(
    tbilrate=table["tbilrate"].diff() / 100
)
y = growth.set_axis(pd.period_range("1959Q1", periods=len(table), freq="Q")).iloc[1:]

result = read_var(y, horizon=4).connectedness(4, origins=list(y.index[39::10]))
print(result)
print(f"figure: {save_figure(plot_connectedness(result), 'connectedness.png', dpi=80)}")
