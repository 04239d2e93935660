"""The sktime forecaster: every argument of its constructor and of its methods, good and bad."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sktime.forecasting.base import ForecastingHorizon
from sktime.split import ExpandingWindowSplitter

from benchmarks.fuzz.rule import BROKEN, WrongAnswer, check_finite, ending_of
from samovar_forecast import SAMoVARForecaster

nan, inf = float("nan"), float("inf")
LENGTHS = [None, 6, 1, 0, -3, 2.5, "x", 10**9, np.int64(8), True]
PATHS = ["nowhere.zip", "", ".", "\0", 5, None, b"x", Path("nowhere") / "deep" / "a.zip"]

CONSTRUCTOR: dict[str, list[Any]] = {
    "context_length": LENGTHS,
    "patch_length": LENGTHS,
    "d_model": [None, 8, 0, 7, "x", 10**9],
    "n_heads": [None, 1, 2, 3, 0, -1, "x", 8.0],
    "n_layers": [1, 2, 0, 10**12, 2.5, None],
    "dropout": [0.0, 0.5, 1.0, -0.1, "x", nan, None],
    "normalization": ["last_patch", "window", "none", "x", None, 5, ["none"]],
    "predictor": ["samovar", "lintrans", "fixedvar", "x", None, {}],
    "past_covariates": [None, [], "x", ["x"], ["nowhere"], ["x", "x"], 5, pd.Index(["x"]), [["x"]]],
    "next_patch_loss_weight": [1.0, 0, -1, inf, nan, "x", None, np.float32(0.5)],
    "learning_rate": [6e-4, 0, -1, nan, inf, 1e30, "x", None],
    "batch_size": [32, 1, 0, -1, "x", np.int64(8), 2.5, 10**9, None],
    "max_epochs": [1, 0, -1, "x", 2.5, np.int64(1), True],
    "patience": [12, None, 0, -1, "x", 1.5],
    "validation_fraction": [0.0, 0.2, 0.99, 1.0, -1, nan, "x", None, np.float32(0.3)],
    "random_state": [0, None, np.int64(3), -1, "x", 2**70, 1.5, np.random.default_rng(0), True],
    "device": ["auto", "cpu", "cuda", "mps", "x", 5, None],
    "verbose": [None, False, "x", 5, np.bool_(False)],
    "checkpoint_dir": [None, 5, "", "\0", "/proc/nowhere", b"x"],
    "quantiles": [None, (0.1, 0.5, 0.9), [], [0.9, 0.1], [0.5], "x", [0.1, 2.0], [nan, 0.5], 0.5],
    "checkpoint": PATHS,
    "linear": [True, False, None, "no", np.True_, 1],
    "pretrained": [True, False, None, "no", np.False_, 0],
    "train": [True, False, None, "no", np.True_, 1],
    "season": [None, 1, 12, np.int64(4), 0, -1, "x", 2.5, True, 10**6, 10**9],
}
HORIZONS: list[Any] = [
    None,
    1,
    [1, 2, 3],
    [2, 5],
    [],
    [0],
    [-1, 1],
    [1, 1],
    [3, 1],
    [10**9],
    10**30,
    "x",
    1.5,
    [nan],
    [None],
    True,
    np.array([[1, 2]]),
    pd.Index([1, 2]),
    pd.DatetimeIndex(["2050-01-01"]),
    pd.DatetimeIndex(["1900-01-01"]),
    pd.PeriodIndex(["2050Q1"], freq="Q"),
    ForecastingHorizon([1, 2]),
    ForecastingHorizon([46, 47], is_relative=False),
    {"a": 1},
]
LEVELS: list[Any] = [0.9, [0.1, 0.9], [0.5], [], [2.0], [nan], "x", None, [0.1, 0.1], {0.2}, True]
COUNTS: list[Any] = [1, 5, 0, -1, 2.5, "x", None, True, np.int64(3), 10**12]
SWITCHES: list[Any] = [True, False, None, "no", 5]


def rows(n_time: int, n_series: int = 2, seed: int = 0, start: int = 0) -> pd.DataFrame:
    """Return random walks on a plain index."""
    steps = np.random.default_rng(seed).normal(size=(n_time, n_series))
    index = pd.RangeIndex(start, start + n_time)
    return pd.DataFrame(steps.cumsum(axis=0), index, list("abc")[:n_series])


def panel(n_time: int, start: int = 0) -> pd.DataFrame:
    """Return two instances of random walks."""
    parts = {key: rows(n_time, 2, seed, start) for seed, key in enumerate(["one", "two"])}
    return pd.concat(parts, names=["shop", "time"])


def covariates(draw: random.Random, index: pd.Index) -> Any:
    """Return covariates for an index, or something else in their place."""
    values = np.random.default_rng(1).normal(size=(len(index), 2))
    good = pd.DataFrame(values, index, ["x", "z"])
    holed = good.mask(good > 1)
    bad = [good.iloc[1:], good[["x"]], good.iloc[::-1], good.astype(str), 5, good.to_numpy(), "x"]
    return draw.choice([None] * 6 + [good] * 6 + [holed, good * 1e307, *bad])


def frames(draw: random.Random, n_time: int, start: int) -> Any:
    """Return rows that begin somewhere, or something else in their place."""
    good = rows(n_time, start=start)
    few = [good.iloc[:0], good[["a"]], good.rename(columns={"a": "other"}), good.iloc[::-1]]
    bad = [good * nan, good * 1e307, good.iloc[::2], good.astype(object), good.astype(str)]
    none = [None, 5, "x", good.to_numpy(), good["a"], [good], panel(n_time, start)]
    return draw.choice([*[good] * 10, good.mask(good > 1), *few, *bad, *none])


class Asked:
    """A fitted forecaster that is asked for something, with arguments that may not work.

    Parameters
    ----------
    forecaster : SAMoVARForecaster
    draw : random.Random
    y, X : DataFrame
        Of the fit.
    folder : Path
        May be written to.
    """

    def __init__(
        self, forecaster: SAMoVARForecaster, draw: random.Random, y: Any, X: Any, folder: Path
    ) -> None:
        self.forecaster, self.draw, self.folder = forecaster, draw, folder
        n_time = len(y.index.get_level_values(-1).unique())
        self.fh = draw.choice(HORIZONS)
        ahead = pd.RangeIndex(n_time, n_time + 5)
        self.X = None if X is None and draw.random() < 0.9 else covariates(draw, ahead)
        self.y, self.n_time = y, n_time
        self.newer = panel(4, n_time) if y.index.nlevels > 1 else frames(draw, 4, n_time)
        self.newer_X = None if X is None else covariates(draw, ahead[:4])
        self.levels, self.count, self.switch = map(draw.choice, (LEVELS, COUNTS, SWITCHES))

    def check(self, answer: Any, what: str) -> None:
        """Raise `WrongAnswer` if an answer is not finite ahead, or not on the horizon's index."""
        if not isinstance(answer, pd.DataFrame):  # sktime answers in the kind of frame of `fit`
            return check_finite(np.asarray(answer), what)
        fh, cutoff = self.forecaster.fh, self.forecaster.cutoff
        ahead = np.asarray(fh.to_relative(cutoff).to_numpy()) > 0
        times = list(fh.to_absolute_index(cutoff))
        n_instances = len(answer) // len(times)
        if list(answer.index.get_level_values(-1)) != times * n_instances:
            raise WrongAnswer(f"{what} is on another index")
        if ahead.any():  # forecasts of the past are missing where too little lies before them
            check_finite(answer[np.tile(ahead, n_instances)], what)

    def fit(self) -> None:
        """Fit anew and forecast."""
        y = frames(self.draw, self.n_time, 0)
        self.forecaster.fit(y, X=self.X, fh=self.fh)
        if self.X is None:
            self.check(self.forecaster.predict(fh=None if self.fh is not None else [1]), "forecast")

    def fit_predict(self) -> None:
        """Fit and forecast in a call."""
        self.check(self.forecaster.fit_predict(self.y, fh=self.fh), "fit_predict")

    def pretrain(self) -> None:
        """Train a network on a panel."""
        data = self.draw.choice([panel(self.n_time), self.y, self.newer])
        self.forecaster.clone().set_params(train=True).pretrain(data, fh=self.fh)

    def predict(self) -> None:
        """Forecast points."""
        self.check(self.forecaster.predict(self.fh, self.X), "predict")

    def predict_quantiles(self) -> None:
        """Forecast quantiles."""
        answer = self.forecaster.predict_quantiles(self.fh, self.X, self.levels)
        self.check(answer, "predict_quantiles")

    def predict_interval(self) -> None:
        """Forecast intervals."""
        answer = self.forecaster.predict_interval(self.fh, self.X, self.levels)
        self.check(answer, "predict_interval")

    def predict_var(self) -> None:
        """Forecast variances."""
        answer = self.forecaster.predict_var(
            self.fh, self.X, cov=self.draw.choice([False] * 3 + [True])
        )
        self.check(answer, "predict_var")

    def predict_proba(self) -> None:
        """Forecast distributions."""
        self.check(self.forecaster.predict_proba(self.fh, self.X).mean(), "predict_proba")

    def predict_residuals(self) -> None:
        """Take forecasts from rows."""
        y = self.draw.choice([None, self.y, self.newer])
        self.forecaster.predict_residuals(y)

    def sample_paths(self) -> None:
        """Draw futures."""
        seed = self.draw.choice(CONSTRUCTOR["random_state"])
        paths = self.forecaster.sample_paths(self.fh, self.count, seed, self.X)
        check_finite(paths, "sample_paths")

    def predict_origins(self) -> None:
        """Forecast from many rows."""
        origins: Any = self.draw.choice(
            [[self.n_time], [20, 30], [0], [10**9], [], 5, ["x"], [1.5]]
        )
        y = self.draw.choice([self.y, self.newer])
        points, levels = self.forecaster.predict_origins(y, origins, self.count)
        check_finite(points, "predict_origins")
        check_finite(levels, "predict_origins")

    def update(self) -> None:
        """Move on, and forecast."""
        self.forecaster.update(self.newer, self.newer_X, update_params=self.switch)
        if self.newer_X is None:
            self.check(self.forecaster.predict(), "predict after update")

    def update_predict_single(self) -> None:
        """Move on and forecast in a call."""
        answer = self.forecaster.update_predict_single(
            self.newer, self.fh, update_params=self.switch
        )
        self.check(answer, "update_predict_single")

    def update_predict(self) -> None:
        """Move on over many rows."""
        splitter = ExpandingWindowSplitter(fh=[1], initial_window=2, step_length=1)
        cv = self.draw.choice([None, splitter, 5])
        self.forecaster.update_predict(self.newer, cv, update_params=self.switch)

    def score(self) -> None:
        """Score the forecast of rows."""
        if not np.isfinite(self.forecaster.score(self.newer, fh=self.fh)):
            raise WrongAnswer("score is not finite")

    def explain(self) -> None:
        """Read the forecaster as a VAR."""
        y = self.draw.choice([None, self.y, self.newer])
        reading = self.forecaster.explain(y, instance=self.draw.choice([None, "one", 5, ["x"]]))
        check_finite(reading.coefs, "the coefficients")

    def plot(self) -> None:
        """Draw the forecast."""
        import matplotlib.pyplot as plt

        try:
            self.forecaster.plot(self.fh, self.X, coverage=self.levels)
        finally:
            plt.close("all")

    def save_artifact(self) -> None:
        """Write the forecaster, and read what was written."""
        path = self.draw.choice([*PATHS, self.folder / "a.zip", self.folder / "a", self.folder])
        self.forecaster.save_artifact(path)
        again = SAMoVARForecaster.load_artifact(path)
        if not again.predict(fh=[1]).equals(self.forecaster.predict(fh=[1])):
            raise WrongAnswer("the artifact forecasts something else")

    def load_artifact(self) -> None:
        """Read an artifact where there is none."""
        SAMoVARForecaster.load_artifact(self.draw.choice([*PATHS, self.folder]))

    def set_params(self) -> None:
        """Set a parameter, fit and forecast."""
        name = self.draw.choice([*CONSTRUCTOR, "nothing"])
        other = self.forecaster.clone()
        other.set_params(**{name: self.draw.choice(CONSTRUCTOR.get(name, [5]))})
        check_finite(other.fit(self.y, fh=[1]).predict(), "predict")


METHODS = [name for name in vars(Asked) if not name.startswith("_") and name != "check"]


def arguments_of(draw: random.Random) -> dict[str, Any]:
    """Return arguments of the constructor; most of the others are those of a small training."""
    small = {"max_epochs": 1, "d_model": 8, "n_layers": 1, "random_state": 0}
    usual = {"pretrained": draw.random() < 0.2, "train": draw.random() < 0.25, **small}
    drawn = [name for name in CONSTRUCTOR if draw.random() < 0.03]
    return {**usual, **{name: draw.choice(CONSTRUCTOR[name]) for name in drawn}}


def sktime_case(folder: Path) -> Callable[[int], str]:
    """Return how a fit ends, and if it worked what is asked of the forecaster then."""

    def run(seed: int) -> str:
        draw = random.Random(seed)
        given, n_time = arguments_of(draw), draw.choice([12, 30, 45])
        y = panel(n_time) if draw.random() < 0.15 else rows(n_time, draw.choice([1, 2]))
        y = y if y.shape[1] == 2 or draw.random() < 0.5 else y["a"].to_frame()
        X = covariates(draw, y.index) if draw.random() < 0.2 else None
        fitted: list[SAMoVARForecaster] = []

        def fit() -> None:
            fitted.append(SAMoVARForecaster(**given).fit(y, X=X, fh=[1, 2]))

        ending = ending_of(fit, y, X, given)
        if ending != "finite":
            return ending
        asked = Asked(fitted[0], draw, y, X, folder)
        method = draw.choice(METHODS)
        before = fitted[0].cutoff
        ending = ending_of(getattr(asked, method), y, X, given, asked.newer, asked.X, asked.newer_X)
        if ending.startswith("refused") and not fitted[0].cutoff.equals(before):
            return f"{BROKEN}: {method} moved the cutoff and was refused"
        return f"{ending} in {method}" if ending.startswith(BROKEN) else ending

    return run
