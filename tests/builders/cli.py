"""The command line in the process of the test."""

from __future__ import annotations

import pandas as pd

from samovar_forecast.cli import main
from samovar_forecast.comparison import RepeatSeason


class QuickSAMoVAR(RepeatSeason):
    """Stands in for SAMoVAR where a test is about the command and not about the forecasts."""

    shares_ = pd.DataFrame(
        {"a": [0.75, 0.25]},
        pd.MultiIndex.from_tuples([("linear", 1), ("pretrained", 1)], names=["member", "step"]),
    )


class QuickForecaster(RepeatSeason):
    """Stands in for SAMoVARForecaster: takes missing values, and keeps the covariates."""

    _tags = {"capability:missing_values": True, "capability:exogenous": True}

    def _fit(self, y, X, fh):
        self.seen_covariates_ = [X]
        return super()._fit(y.ffill().bfill(), None, fh)

    def _update(self, y, X=None, update_params=True):
        self.seen_covariates_.append(X)
        return super()._update(y.ffill(), None, update_params)

    def _predict(self, fh, X):
        self.seen_covariates_.append(X)
        return super()._predict(fh, None)


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Run the command, and return its exit code, what it printed and what it complained of."""
    code = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return code, output.out, output.err
