"""A calendar as covariates, in one sktime pipeline: carbon dioxide on Mauna Loa, half a year ahead.

Run: python examples/sktime_pipeline_with_covariates.py

Weekly measurements from 1974 to 2001 (statsmodels' co2), a few weeks of them missing: the
forecaster masks those, nothing is filled. The network sees half a year of the past, too little to
know the season. The pipeline makes waves of one year of the calendar, which is known ahead, and
gives them to the forecaster as future covariates.
"""

import pandas as pd
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.naive import NaiveForecaster
from sktime.performance_metrics.forecasting import MeanAbsoluteError
from sktime.split import ExpandingWindowSplitter
from sktime.transformations.series.fourier import FourierFeatures
from statsmodels.datasets import co2

from samovar_forecast import SAMoVARForecaster

HORIZON = range(1, 27)
WEEKS = 365.25 / 7
FIRST_FORECAST = "1994-01-01"


def main(epochs: int = 20) -> pd.DataFrame:
    """Forecast twice a year since 1994 from networks that were trained on the years before."""
    y = co2.load_pandas().data.loc["1974":]
    calendar = pd.DataFrame({"week": range(len(y))}, index=y.index, dtype=float)
    network = SAMoVARForecaster(
        linear=False,
        pretrained=False,
        train=True,
        patch_length=13,
        context_length=26,
        d_model=16,
        dropout=0.0,  # little width to spare
        n_layers=1,
        learning_rate=3e-3,
        max_epochs=epochs,
        batch_size=64,
        random_state=0,
    )
    waves = FourierFeatures([WEEKS], [2], keep_original_columns=False)
    first = int(y.index.searchsorted(pd.Timestamp(FIRST_FORECAST)))
    folds = ExpandingWindowSplitter(fh=HORIZON, initial_window=first, step_length=len(HORIZON))
    models = {
        "last year's value": (NaiveForecaster(sp=52), y.ffill(), None, "refit"),  # no holes
        "without calendar": (network, y, None, "no-update_params"),
        "with calendar": (waves**network, y, calendar, "no-update_params"),
    }
    rows = {}
    for name, (model, known, X, strategy) in models.items():
        found = evaluate(
            model,
            folds,
            known,
            X=X,
            strategy=strategy,
            scoring=MeanAbsoluteError(),
            return_data=True,
            error_score="raise",
        )
        errors = [
            (forecast - y.loc[forecast.index]).abs().set_axis(list(HORIZON))
            for forecast in found["y_pred"]
        ]
        mean = pd.concat(errors, axis=1).mean(axis=1)  # over the weeks that were measured
        rows[name] = {"weeks 1 to 13": mean[:13].mean(), "weeks 14 to 26": mean[13:].mean()}
    table = pd.DataFrame(rows).T
    print("Mean absolute error, parts per million\n", table.round(2).to_string(), sep="")
    return table


if __name__ == "__main__":
    main()
