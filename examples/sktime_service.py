"""A forecasting service: fit once, keep the forecaster, and answer every day in a fresh process.

The first step fits and saves. Each later step is a process of its own: it loads the artifact, takes
in the rows that came since, forecasts with intervals, and saves again. Loading executes nothing,
so the artifact may lie where others can write; a file that is not as it was written is refused.

Run:  python examples/sktime_service.py      # half a minute; the artifact in service.zip
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from statsmodels.datasets import macrodata

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.exceptions import ArtifactError

SERIES = ["realgdp", "realcons", "realinv"]


def load_rows() -> pd.DataFrame:
    """Return quarterly series of the United States, 1959 to 2009."""
    frame = macrodata.load_pandas().data[SERIES]
    return frame.set_axis(pd.period_range("1959Q1", periods=len(frame), freq="Q", name="quarter"))


def fit(artifact: Path, until: str) -> None:
    """Fit to the rows up to a quarter, and keep the forecaster."""
    SAMoVARForecaster().fit(load_rows()[:until], fh=[1, 2, 3, 4]).save_artifact(artifact)


def step(artifact: Path, since: str, until: str) -> pd.DataFrame:
    """Load the forecaster, take in new rows, forecast, and keep the forecaster again."""
    forecaster = SAMoVARForecaster.load_artifact(artifact)
    forecaster.update(load_rows()[since:until], update_params=False)
    forecaster.save_artifact(artifact)
    return forecaster.predict_interval(coverage=0.8)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the service for three quarters, each in a process of its own."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--artifact", type=Path, default=Path("service.zip"))
    parser.add_argument("--step", nargs=2, metavar=("SINCE", "UNTIL"), help=argparse.SUPPRESS)
    parser.add_argument("--steps", type=int, default=3)
    given = parser.parse_args(arguments)
    if given.step:
        print(step(given.artifact, *given.step).round(1).to_string())
        return
    fit(given.artifact, until="2008Q3")
    for quarter in pd.period_range("2008Q4", periods=given.steps, freq="Q"):
        own = [__file__, "--artifact", str(given.artifact), "--step", str(quarter), str(quarter)]
        print(f"\n{quarter} has come; the next four quarters:")
        print(subprocess.check_output([sys.executable, *own], text=True))
    damaged = given.artifact.read_bytes()[:-100]
    given.artifact.with_name("damaged.zip").write_bytes(damaged)
    try:
        SAMoVARForecaster.load_artifact(given.artifact.with_name("damaged.zip"))
    except ArtifactError as error:
        print(f"a damaged file is refused: {error.problem}")


if __name__ == "__main__":
    main()
