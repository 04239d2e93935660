"""Inflation, unemployment and interest in the United States: a VAR and a dynamic VAR, side by side.

The study is that of Stock and Watson (2001, Journal of Economic Perspectives 15:101-115): three
quarterly series, four lags, shocks identified by their order. statsmodels answers the usual
questions of a VAR; `read_var` answers the same questions of a forecast that nothing was trained
for. Both learn from 1959 to 2000 and are judged on 2001 to 2009.

Run: python examples/us_macro.py      # half a minute of one core; figures in us_macro_figures/
"""

from pathlib import Path

import pandas as pd
from statsmodels.datasets import macrodata
from statsmodels.tsa.api import VAR

from samovar_forecast import SAMoVARForecaster, compare, read_var
from samovar_forecast.comparison import GuardedVAR, RepeatSeason
from samovar_forecast.plots import save_figure

LAST_SEEN, LAGS, PERIODS = "2000Q4", 4, 12
UNITS = {"inflation": "% a year", "unemployment": "%", "interest": "% a year"}


def load() -> pd.DataFrame:
    """Inflation, unemployment and the T-bill rate (for the funds rate), in the order of shocks."""
    raw = macrodata.load_pandas().data[["infl", "unemp", "tbilrate"]].set_axis(list(UNITS), axis=1)
    return raw.set_axis(pd.period_range("1959Q1", periods=len(raw), freq="Q")).iloc[1:]


def responses_of_unemployment(var, fitted) -> pd.DataFrame:
    """What unemployment does after an orthogonal shock to interest, in points."""
    ours = var.irf(PERIODS, orth=True).estimate[:, 1, 2]
    return pd.DataFrame({"VAR": fitted.irf(PERIODS).orth_irfs[:, 1, 2], "dynamic VAR": ours})


def main(folder: str | Path = "us_macro_figures", n_draws: int = 9) -> None:
    """Print the answers of both models beside each other, and draw ours."""
    y = load()
    past, folder = y[:LAST_SEEN], Path(folder)
    fitted, var = VAR(past.to_timestamp()).fit(LAGS), read_var(past, horizon=PERIODS)
    models = {"dynamic VAR": SAMoVARForecaster(), "VAR": GuardedVAR(LAGS), "naive": RepeatSeason()}
    when = {"n_origins": len(y) - len(past), "stride": 1, "refit": "first", "season": 1}
    found = compare(y, 1, models, classical=False, **when)
    print("One quarter ahead, 2001 to 2009, squared errors in deviations:")
    print(found.scores("series")["MSE"].unstack("model")[list(models)].round(3))

    tested = var.test_causality().table.set_index(["caused", "causing"])["pvalue"]
    classical = [fitted.test_causality(*pair).pvalue for pair in tested.index]
    print("\nDoes the causing series help to forecast the caused series? p-values of 'no':")
    print(tested.rename("dynamic VAR").to_frame().assign(VAR=classical).round(3))

    print("\nUnemployment after a shock to interest, points:")
    print(responses_of_unemployment(var, fitted).iloc[::4].round(3).to_string())
    ours, theirs = var.fevd(PERIODS), fitted.fevd(PERIODS)
    for name, share in {"VAR": theirs.decomp[:, -1], "dynamic VAR": ours.estimate[-1]}.items():
        table = pd.DataFrame(100 * share, list(UNITS), list(UNITS)).round().astype(int)
        print(f"\nPercent of the errors {PERIODS} quarters ahead by shocks in, {name}:\n{table}")

    root = 1 / abs(fitted.roots).min()
    print(f"\nLargest root: VAR {root:.3f}, dynamic VAR {var.largest_root():.3f} at {LAST_SEEN}")
    print("A VAR answers a shock of any size in proportion; the forecast itself need not:")
    for size in (1.0, -3.0):
        path = var.girf(8, size=size, n_histories=3, n_draws=4).estimate[:, 1, 2] / size
        print(f"  unemployment per deviation of interest, shock of {size:+g}: {path[8]:+.3f}")

    folder.mkdir(parents=True, exist_ok=True)
    responses = var.irf(PERIODS, orth=True, bands="bootstrap", n_draws=n_draws)
    figures = {
        "responses": responses.plot(units=UNITS),
        "variance_shares": ours.plot(),
        "coefficient_paths": var.coefficient_paths([1], past.index[40::8], part="dynamics").plot(),
    }
    for name, axes in figures.items():
        print(f"figure: {save_figure(axes, folder / f'{name}.pdf')}")


if __name__ == "__main__":
    main()
