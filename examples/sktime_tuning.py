"""Choose a network for US macroeconomic series by cross-validation, and test the choice later.

Run: python examples/sktime_tuning.py

Four quarterly series (statsmodels' macrodata) are forecast a year ahead. Lookback, normalisation
and whether the linear forecast stands beside it are chosen on years up to 1994 by sktime's grid
search; what it chose then forecasts 1995 to 2009, beside its last choice, a VAR and the last
value. Nothing that is tested was tuned on.
"""

import numpy as np
import pandas as pd
from sktime.forecasting.model_evaluation import evaluate
from sktime.forecasting.model_selection import ForecastingGridSearchCV
from sktime.forecasting.naive import NaiveForecaster
from sktime.forecasting.var import VAR
from sktime.performance_metrics.forecasting import MeanAbsoluteError
from sktime.split import ExpandingWindowSplitter
from statsmodels.datasets import macrodata

from samovar_forecast import SAMoVARForecaster

HORIZON, LAST_TUNED = [1, 2, 3, 4], "1994Q4"
NORMALIZATIONS = ["last_patch", "window"]
GRID = {"context_length": [8, 24], "normalization": NORMALIZATIONS, "linear": [False, True]}
SIZE = {"patch_length": 4, "d_model": 16, "n_layers": 1, "learning_rate": 3e-3}


def load() -> pd.DataFrame:
    """Growth and inflation in percent a year, unemployment and treasury bill rate in percent."""
    raw = macrodata.load_pandas().data
    raw.index = pd.period_range("1959Q1", periods=len(raw), freq="Q")
    growth = 400 * np.log(raw["realgdp"]).diff()
    return raw.assign(growth=growth)[["growth", "infl", "unemp", "tbilrate"]].iloc[1:]


def main(epochs: int = 15) -> pd.Series:
    """Tune, test, print both tables."""
    y, how = load(), {"scoring": MeanAbsoluteError(), "error_score": "raise"}
    past = y.loc[:LAST_TUNED]
    candidate = SAMoVARForecaster(
        pretrained=False, train=True, max_epochs=epochs, random_state=0, **SIZE
    )
    folds = ExpandingWindowSplitter(fh=HORIZON, initial_window=len(past) - 36, step_length=4)
    search = ForecastingGridSearchCV(
        candidate, folds, GRID, strategy="no-update_params", backend="None", **how
    ).fit(past / past.std(), fh=HORIZON)
    results = search.cv_results_.sort_values("mean_test_MeanAbsoluteError")
    shown = pd.DataFrame(list(results["params"]))
    shown["error"] = results["mean_test_MeanAbsoluteError"].to_numpy()
    print("Cross-validation\n", shown.round(3).to_string(index=False), sep="")
    models = {
        "tuned": candidate.clone().set_params(**search.best_params_),
        "worst in tuning": candidate.clone().set_params(**results["params"].iloc[-1]),
        "VAR(2)": VAR(maxlags=2),
        "last value": NaiveForecaster(),
    }
    folds = ExpandingWindowSplitter(fh=HORIZON, initial_window=len(past), step_length=4)
    errors = {}
    for name, model in models.items():
        # sktime's VAR does not move on without being refitted
        strategy = "refit" if isinstance(model, VAR) else "no-update_params"
        found = evaluate(model, folds, y / past.std(), strategy=strategy, **how)
        errors[name] = found["test_MeanAbsoluteError"].mean()
    print("\nTest\n", pd.Series(errors).round(3).to_string(), sep="")
    return pd.Series(errors)


if __name__ == "__main__":
    main()
