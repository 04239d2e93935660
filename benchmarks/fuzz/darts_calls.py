"""The darts models: every argument of their constructors and of their methods, good and bad."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from darts import TimeSeries
from darts.utils.likelihood_models.torch import (
    GaussianLikelihood,
    PoissonLikelihood,
    QuantileRegression,
)

from benchmarks.fuzz.rule import BROKEN, WrongAnswer, check_finite, ending_of
from samovar_forecast import SAMoVARModel, SAMoVARZeroShotModel

nan, inf = float("nan"), float("inf")
LENGTHS: list[Any] = [12, 4, 1, 0, -3, 2.5, "x", None, 10**9, np.int64(8), True]
SWITCHES: list[Any] = [True, False, None, "no", 5]
PATHS: list[Any] = ["nowhere.zip", "", ".", "\0", 5, None, b"x", Path("nowhere") / "deep" / "a.zip"]
LIKELIHOODS: list[Callable[[], Any]] = [
    lambda: None,
    GaussianLikelihood,
    PoissonLikelihood,
    lambda: QuantileRegression([0.1, 0.5, 0.9]),
    lambda: "gaussian",
]
QUIET = {
    "accelerator": "cpu",
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "logger": False,
}

OF_ALL: dict[str, list[Any]] = {
    "input_chunk_length": LENGTHS,
    "output_chunk_length": LENGTHS,
    "output_chunk_shift": [0, 2, -1, 2.5, "x", None, True],
    "univariate": SWITCHES,
    "linear": SWITCHES,
    "batch_size": [32, 1, 0, -1, "x", 2.5, np.int64(8)],
    "n_epochs": [1, 0, np.int64(1), -5, 2.5, "x"],
    "random_state": [0, None, np.int64(3), -1, "x", 2**70, 1.5],
    "add_encoders": [None, {"cyclic": {"future": ["month"]}}, {"x": 1}, 5, "x"],
    "enable_finetuning": [None, False, True, {"unfreeze": ["network.*"]}, {"x": 1}, 5, "x"],
    "use_reversible_instance_norm": [False, True, "x"],
    "optimizer_kwargs": [None, {"lr": 1e-3}, {"lr": -1}, {"lr": nan}, {"x": 1}, 5],
    "pl_trainer_kwargs": [QUIET, {**QUIET, "precision": "64-true"}, {**QUIET, "x": 1}, 5],
    "model_name": ["x", "", 5],
    "nr_epochs_val_period": [1, 0, "x"],
    "show_warnings": SWITCHES,
    "no_such_argument": [1],
    "n_layers": [1],
}
"""Of both models; the last two are a name of nobody and a name of the other host."""

OF_TRAINED: dict[str, list[Any]] = {
    "num_layers": [1, 2, 0, 10**12, 2.5, None],
    "d_model": [None, 8, 0, 7, "x", 10**9],
    "n_heads": [None, 1, 2, 3, 0, "x"],
    "dropout": [0.0, 0.5, 1.0, -0.1, "x", nan],
    "normalization": ["last_patch", "window", "none", "x", None, 5],
    "predictor": ["samovar", "lintrans", "fixedvar", "x", None],
    "structure": ["direct", "inverse", "x", None],
    "attention": ["auto", "reference", "parallel", "chunked", "x", None],
    "patch_length": [None, 4, 2, 0, "x"],
    "next_patch_loss_weight": [1.0, 0, -1, inf, nan, "x", None],
    "use_static_covariates": SWITCHES,
    "lr_scheduler_kwargs": [None, {"pct_start": 0.5}, {"pct_start": 5}, {"x": 1}, 5],
}

OF_ZERO_SHOT: dict[str, list[Any]] = {
    "season": [None, 7, 1, 0, -1, 2.5, "x", True, 10**9],
    "local_dir": [None, None, "nowhere", "", "\0", 5],
}

NUMBERS: list[Any] = [1, 4, 9, 0, -1, 2.5, "x", None, True, np.int64(3)]


def series(draw: random.Random, n_time: int = 40, n_components: int = 2, start: int = 0) -> Any:
    """Return a series of darts, or of some nastiness, or something else in its place."""
    rng = np.random.default_rng(draw.randrange(2**32))
    values = rng.normal(size=(n_time, n_components)).cumsum(axis=0)
    kind = draw.choice(
        ["walk"] * 12 + ["constant", "holes", "huge", "large", "infinite", "samples"]
    )
    if kind == "constant":
        values[:] = 3.7
    elif kind == "holes":
        values[rng.random(values.shape) < 0.1] = nan
    elif kind in ("huge", "large"):
        values *= 1e307 if kind == "huge" else 1e25
    elif kind == "infinite":
        values[n_time // 2] = inf
    elif kind == "samples":
        values = values[:, :, None] + rng.normal(size=(n_time, n_components, 3))
    day = pd.Timestamp("2020-01-01") + pd.Timedelta(days=start)
    index = draw.choice(
        [*[pd.date_range(day, periods=n_time, freq="D")] * 6, pd.RangeIndex(start, start + n_time)]
    )
    made = TimeSeries.from_times_and_values(index, values)
    made = made.astype(draw.choice(["float64"] * 6 + ["float32"] * 3 + ["float16"]))
    if draw.random() < 0.1:
        statics = pd.DataFrame({"size": [draw.choice([1.0, nan, 1e300])]})
        made = made.with_static_covariates(statics)
    return draw.choice([made] * 16 + [[made, made], [], None, 5, made.values(), "x"])


def covariates(draw: random.Random) -> dict[str, Any]:
    """Return covariates of a fit, mostly none."""
    found = {}
    for name in ("past_covariates", "future_covariates"):
        if draw.random() < 0.15:
            found[name] = series(draw, draw.choice([40, 60, 60, 60, 20]), 1)
    return found


class Asked:
    """A fitted model that is asked for something, with arguments that may not work."""

    def __init__(self, model: Any, draw: random.Random, given: Any, folder: Path) -> None:
        self.model, self.draw, self.given, self.folder = model, draw, given, folder
        self.n = draw.choice(NUMBERS)
        self.usual = {"verbose": False, "show_warnings": False}
        self.options: dict[str, Any] = {}
        choices = {
            "num_samples": NUMBERS,
            "roll_size": NUMBERS,
            "batch_size": NUMBERS,
            "mc_dropout": SWITCHES,
            "predict_likelihood_parameters": SWITCHES,
            "random_state": OF_ALL["random_state"],
            "n_jobs": [1, 0, "x"],
        }
        for name, values in choices.items():
            if draw.random() < 0.15:
                self.options[name] = draw.choice(values)
        self.series = series(draw) if draw.random() < 0.5 else None
        self.history = given if self.series is None else self.series

    def check(self, answer: Any, what: str) -> None:
        """Raise `WrongAnswer` if a forecast is not finite, of a series, a list or lists in it."""
        if not isinstance(answer, list):
            check_finite(answer.all_values(), what)
            return
        for member in answer:
            self.check(member, what)

    def check_same(self, again: Any, what: str) -> None:
        """Raise `WrongAnswer` if a model that was loaded forecasts other numbers."""
        one, other = (model.predict(4, self.given, **self.usual) for model in (self.model, again))
        self.check(one, "predict")
        if one != other:
            raise WrongAnswer(f"{what} forecasts something else")

    def predict(self) -> None:
        """Forecast."""
        answer = self.model.predict(self.n, self.series, **self.usual, **self.options)
        first = answer[0] if isinstance(answer, list) else answer
        if len(first) != self.n:
            raise WrongAnswer("the forecast has another length")
        if self.n:
            self.check(answer, "predict")

    def historical_forecasts(self) -> None:
        """Forecast from many origins."""
        options = {"retrain": self.draw.choice([False, False, False, "x"]), **self._origins()}
        found = self.model.historical_forecasts(self.history, **options)
        self.check(found, "historical_forecasts")

    def backtest(self) -> None:
        """Score forecasts from many origins."""
        self.model.backtest(self.history, retrain=False, **self._origins())

    def residuals(self) -> None:
        """Take forecasts from a series."""
        self.model.residuals(self.history, retrain=False, **self._origins())

    def _origins(self) -> dict[str, Any]:
        draw = self.draw
        options = {
            "forecast_horizon": draw.choice([2, 2, 4, *NUMBERS]),
            "start": draw.choice([0.9, 0.9, -2, 5, 10**9, "x", 2.5, pd.Timestamp("2020-02-05")]),
            "stride": draw.choice([2, 2, *NUMBERS]),
            "last_points_only": draw.choice([True, False]),
            "overlap_end": draw.choice([True, False]),
        }
        return {"show_warnings": False, **options}

    def explain(self) -> None:
        """Read the model as a VAR."""
        if isinstance(self.model, SAMoVARModel):
            check_finite(self.model.explain(self.history).coefs, "the coefficients")

    def fit(self) -> None:
        """Fit on, with arguments of the method."""
        draw = self.draw
        choices: dict[str, list[Any]] = {
            "epochs": [1, 0, -1, 2.5, "x"],
            "max_samples_per_ts": [None, 5, 0, -1, "x"],
            "stride": [1, 3, 0, -1, "x"],
            "load_best": SWITCHES,
            "sample_weight": [None, "linear", "exponential", "x", 5],
            "val_series": [None, 5, *[series(draw, 30, start=20) for _ in range(3)]],
            "dataloader_kwargs": [None, {"shuffle": False}, {"x": 1}, 5],
        }
        options = {
            name: draw.choice(values) for name, values in choices.items() if draw.random() < 0.3
        }
        self.model.fit(self.history, **{"epochs": 1, **options})
        self.check(self.model.predict(1, self.given, **self.usual), "predict after fit")

    def save_artifact(self) -> None:
        """Write the model, and read what was written."""
        path = self.draw.choice([*PATHS, self.folder / "a.zip", self.folder / "a", self.folder])
        self.model.save_artifact(path)
        self.check_same(type(self.model).load_artifact(path), "the artifact")

    def load_artifact(self) -> None:
        """Read an artifact where there is none."""
        type(self.model).load_artifact(self.draw.choice([*PATHS, self.folder]))

    def save(self) -> None:
        """Write the model as darts does, and read what was written."""
        path = str(self.folder / "darts.pt")
        self.model.save(path)
        self.check_same(type(self.model).load(path, trusted=True), "the file")


METHODS = [
    name for name in vars(Asked) if not name.startswith("_") and not name.startswith("check")
]


def arguments_of(draw: random.Random, kind: type) -> dict[str, Any]:
    """Return arguments of a constructor; most of the others are those of a small model."""
    small: dict[str, Any] = {"input_chunk_length": 12, "output_chunk_length": 4}
    small |= {"n_epochs": 1, "random_state": 0, "pl_trainer_kwargs": QUIET}
    own = OF_ZERO_SHOT
    if kind is SAMoVARModel:
        small, own = (
            {**small, "num_layers": 1, "d_model": 8, "linear": draw.random() < 0.3},
            OF_TRAINED,
        )
    choices = {**OF_ALL, **own}
    drawn = [name for name in choices if draw.random() < 0.03]
    given = {**small, **{name: draw.choice(choices[name]) for name in drawn}}
    if draw.random() < 0.2:
        given["likelihood"] = draw.choice(LIKELIHOODS)()
    return given


def darts_case(folder: Path) -> Callable[[int], str]:
    """Return how a fit ends, and if it worked what is asked of the model then."""

    def run(seed: int) -> str:
        draw = random.Random(seed)
        kind = draw.choice([SAMoVARModel, SAMoVARZeroShotModel])
        arguments, given = arguments_of(draw, kind), series(draw)
        more, fitted = covariates(draw), []

        def fit() -> None:
            model = kind(**{"work_dir": str(folder / "darts"), **arguments})
            fitted.append(model.fit(given, verbose=False, **more))

        watched = (given, *more.values(), arguments)
        # Without a seed of the model darts draws a seed from numpy, as `np.random.seed` promises.
        moved = () if arguments.get("random_state") is not None else ("the state of numpy",)
        ending = ending_of(fit, *watched, may_change=moved)
        if ending != "finite":
            return ending
        asked = Asked(fitted[0], draw, given, folder)
        method = draw.choice(METHODS)
        if asked.options.get("random_state", 0) is None:
            moved = ("the state of numpy",)
        watched = (*watched, asked.series, asked.options)
        ending = ending_of(getattr(asked, method), *watched, may_change=moved)
        return f"{ending} in {method}" if ending.startswith(BROKEN) else ending

    return run
