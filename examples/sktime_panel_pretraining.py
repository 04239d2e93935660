"""Learn from many countries, forecast others: births per woman (World Bank), a panel.

Run: python examples/sktime_panel_pretraining.py [--figure pretraining.png]

Yearly fertility of more than 200 countries since 1960 (statsmodels' fertility). A network is
pretrained on most of them up to 2003. The others, which it never saw, are then forecast to 2011:

- by that network as it is (`train=False`), which takes no training at all;
- by a copy adapted to the new countries in a few epochs;
- by one global network, trained on the new countries alone;
- by a local network for each country, trained on its own 44 years;
- by the last value and the last trend.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from sktime.forecasting.compose import ForecastByLevel
from sktime.forecasting.naive import NaiveForecaster
from statsmodels.datasets import fertility

from samovar_forecast import SAMoVARForecaster

HORIZON = range(1, 9)
LAST_SEEN = 2003
SHOWN = 6


def load() -> pd.DataFrame:
    """Births per woman by country and year; countries with missing years are left out."""
    raw = fertility.load_pandas().data.set_index("Country Name")
    years = [str(year) for year in range(1960, LAST_SEEN + len(HORIZON) + 1)]
    wide = raw[years].dropna()
    wide.columns = pd.PeriodIndex(years, freq="Y", name="year")
    wide.index.name = "country"
    return wide.stack().to_frame("births").sort_index()


def split(panel: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Past of the countries to learn from, past and future of every tenth country."""
    countries = panel.index.get_level_values("country")
    is_new = countries.isin(countries.unique()[::10])
    is_past = panel.index.get_level_values("year") <= pd.Period(LAST_SEEN, freq="Y")
    return panel[~is_new & is_past], panel[is_new & is_past], panel[is_new & ~is_past]


def forecasts(known: pd.DataFrame, past: pd.DataFrame, epochs: int) -> dict[str, pd.DataFrame]:
    """Forecasts of the new countries in every way."""
    size = {
        "linear": False,
        "pretrained": False,
        "d_model": 32,
        "n_layers": 2,
        "patch_length": 4,
        "context_length": 24,
        "random_state": 0,
    }
    learner = SAMoVARForecaster(**size, train=True, max_epochs=epochs, learning_rate=2e-3)
    pretrained = learner.clone().pretrain(known, fh=HORIZON)
    alone = learner.clone().set_params(max_epochs=5 * epochs)
    models = {
        "pretrained, as it is": pretrained.clone().set_params(train=False),
        "pretrained, adapted": pretrained.clone().set_params(max_epochs=3, learning_rate=2e-4),
        "global, new countries": alone,
        "local, each by itself": ForecastByLevel(alone),
        "last trend": NaiveForecaster("drift", window_length=5),
        "last value": NaiveForecaster(),
    }
    return {name: model.fit(past, fh=HORIZON).predict() for name, model in models.items()}


def draw(
    past: pd.DataFrame, future: pd.DataFrame, found: dict[str, pd.DataFrame], path: Path
) -> None:
    """A few of the new countries."""
    countries = past.index.get_level_values("country").unique()
    chosen = countries[:: max(1, len(countries) // SHOWN)][:SHOWN]
    figure, axes = plt.subplots(2, SHOWN // 2, figsize=(12, 6), sharex=True, layout="constrained")
    for ax, country in zip(axes.flat, chosen, strict=True):
        for colour, style, frame, label in (
            ("black", "-", past, "seen"),
            ("black", ":", future, "what came"),
            ("C0", "-", found["pretrained, as it is"], "pretrained, as it is"),
            ("C1", "--", found["last value"], "last value"),
        ):
            line = frame.loc[country, "births"]
            ax.plot(line.index.year, line.to_numpy(), style, color=colour, label=label)
        ax.set_title(country, loc="left")
    axes[0, 0].legend(frameon=False)
    figure.supylabel("births per woman")
    figure.savefig(path, dpi=150)
    plt.close(figure)


def main(arguments: list[str] | None = None) -> pd.DataFrame:
    """Pretrain, forecast, print the table, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--figure", type=Path, default=Path("pretraining.png"))
    chosen = parser.parse_args(arguments)
    known, past, future = split(load())
    found = forecasts(known, past, chosen.epochs)
    errors = {name: (one - future)["births"].abs() for name, one in found.items()}
    trend = errors["last value"].groupby("country").mean()
    rows = {
        name: {
            "mean absolute error": error.mean(),
            "countries better than last value": (error.groupby("country").mean() < trend).mean(),
        }
        for name, error in errors.items()
    }
    table = pd.DataFrame(rows).T
    n_known, n_new = (frame.index.get_level_values(0).nunique() for frame in (known, past))
    print(f"{n_known} countries known, {n_new} new")
    print(table.round(3).to_string())
    draw(past, future, found, chosen.figure)
    print(f"figure: {chosen.figure}")
    return table


if __name__ == "__main__":
    main()
