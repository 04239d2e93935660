"""Learn from many countries, forecast others: births per woman (World Bank), a panel.

Run: python examples/sktime_panel_pretraining.py

Yearly fertility of more than 200 countries since 1960 (statsmodels' fertility). A network is
pretrained on most of them up to 2003. The others, which it never saw, are then forecast to 2011:
by that network as it is; by a copy adapted to the new countries in a few epochs; by a global
network, trained on the new countries alone; by a local network for each country, trained on its
own 44 years; by the last value and the last trend.
"""

import pandas as pd
from sktime.forecasting.compose import ForecastByLevel
from sktime.forecasting.naive import NaiveForecaster
from statsmodels.datasets import fertility

from samovar_forecast import SAMoVARForecaster

HORIZON, LAST_SEEN = range(1, 9), 2003
SIZE = {"d_model": 32, "n_layers": 2, "patch_length": 4, "context_length": 24, "random_state": 0}


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


def main(epochs: int = 8) -> pd.DataFrame:
    """Pretrain, forecast, print the table."""
    known, past, future = split(load())
    learner = SAMoVARForecaster(
        linear=False, pretrained=False, train=True, max_epochs=epochs, learning_rate=2e-3, **SIZE
    )
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
    errors = {
        name: (model.fit(past, fh=HORIZON).predict() - future)["births"].abs()
        for name, model in models.items()
    }
    table = pd.DataFrame(errors).mean().to_frame("mean absolute error")
    by_country = {name: error.groupby("country").mean() for name, error in errors.items()}
    better = [(by_country[name] < by_country["last value"]).mean() for name in table.index]
    table["countries better than last value"] = better
    n_known, n_new = (frame.index.get_level_values(0).nunique() for frame in (known, past))
    print(f"{n_known} countries known, {n_new} new\n{table.round(3).to_string()}")
    return table


if __name__ == "__main__":
    main()
