"""The folder of stored origins: what is there is read, what is broken or other is not."""

from __future__ import annotations

import cmath
import copy
import functools
import json
import math
import operator
import os
import re
import signal
import subprocess
import sys
import threading
import warnings

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.comparison import GuardedVAR, RepeatSeason, RidgeVAR, compare
from samovar_forecast.comparison.running import NotResumableWarning
from samovar_forecast.comparison.stored_origins import (
    NotDescribable,
    OriginForecasts,
    StoredOrigins,
    data_hash,
    describe,
)
from samovar_forecast.exceptions import ConfigurationError


def series(n_time: int = 80, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n_time, 2)).cumsum(axis=0)
    index = pd.period_range("2000-01", periods=n_time, freq="M")
    return pd.DataFrame(values, columns=["a", "b"], index=index)


class Counting(RepeatSeason):
    """A naive forecast that counts its fits, and breaks when it is told to."""

    fits = 0
    breaks_after = 10**6

    def _learn(self, values):
        if type(self).fits >= type(self).breaks_after:
            raise KeyboardInterrupt
        type(self).fits += 1


@pytest.fixture(autouse=True)
def count_from_zero():
    Counting.fits, Counting.breaks_after = 0, 10**6


def run(y, folder, model=None, **arguments):
    models = {"counting": Counting() if model is None else model}
    settings = {"horizon": 3, "n_origins": 5, "season": 1, "classical": False, "resume": folder}
    return compare(y, forecasters=models, **(settings | arguments))


def test_a_run_that_was_cut_short_goes_on_where_it_stopped_and_finds_the_same(tmp_path):
    whole = run(series(), None)
    Counting.fits, Counting.breaks_after = 0, 3
    with pytest.raises(KeyboardInterrupt):
        run(series(), tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 3
    Counting.fits, Counting.breaks_after = 0, 10**6
    resumed = run(series(), tmp_path)
    assert Counting.fits == 2
    assert resumed.runs["resumed"].tolist() == [True] * 3 + [False] * 2
    pd.testing.assert_frame_equal(resumed.forecasts, whole.forecasts)
    pd.testing.assert_frame_equal(resumed.quantiles, whole.quantiles)


def test_a_finished_run_is_read_whole_with_its_times_and_nothing_is_fitted(tmp_path):
    first = run(series(), tmp_path, GuardedVAR())
    again = run(series(), tmp_path, GuardedVAR())
    assert again.runs["resumed"].all()
    assert again.effort().equals(first.effort())
    pd.testing.assert_frame_equal(again.forecasts, first.forecasts)
    assert again.fitted == {}


@pytest.mark.parametrize(
    "change",
    [
        {"y": series(seed=1)},
        {"y": series().rename(columns={"a": "c"})},
        {"model": RidgeVAR(season=12)},
        {"horizon": 4},
        {"refit": "first"},
    ],
)
def test_other_data_parameters_horizons_or_refits_never_meet_old_forecasts(tmp_path, change):
    run(series(), tmp_path, RidgeVAR())
    arguments = {"y": series(), "model": RidgeVAR(), **change}
    found = run(arguments.pop("y"), tmp_path, arguments.pop("model"), **arguments)
    # Fitted at the first origin, the forecasts from there are the same.
    assert found.runs["resumed"].sum() == (1 if "refit" in change else 0)


def test_a_later_run_with_more_rows_reuses_the_origins_that_it_shares(tmp_path):
    y = series(84)
    run(y.iloc[:80], tmp_path, stride=2)
    Counting.fits = 0
    found = run(y, tmp_path, stride=2)
    assert found.runs["resumed"].tolist() == [True] * 3 + [False] * 2
    assert Counting.fits == 2


def test_a_model_fitted_once_resumes_with_the_coefficients_of_its_first_fit(tmp_path):
    whole = run(series(), None, GuardedVAR(), refit="first")
    run(series(), tmp_path, GuardedVAR(), refit="first")
    last = max(tmp_path.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
    last.unlink()
    resumed = run(series(), tmp_path, GuardedVAR(), refit="first")
    assert resumed.runs["resumed"].sum() == 4
    pd.testing.assert_frame_equal(resumed.forecasts, whole.forecasts)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: json.dumps({**json.loads(text), "values": [[1.0]]}),
        lambda text: json.dumps({**json.loads(text), "values": "none"}),
        lambda text: json.dumps([1, 2]),
        lambda text: text.replace('"values": [[', '"values": [[1'),  # an edited number
        lambda text: json.dumps({**json.loads(text), "record": {}}),
        lambda text: text.replace('"quantiles": [', '"quantiles": [[[0.0]], '),
    ],
)
def test_a_file_that_is_damaged_counts_as_not_there_and_is_written_anew(tmp_path, damage):
    whole = run(series(), tmp_path)
    broken = sorted(tmp_path.glob("*.json"))[2]
    broken.write_text(damage(broken.read_text(encoding="utf-8")), encoding="utf-8")
    Counting.fits = 0
    resumed = run(series(), tmp_path)
    assert Counting.fits == 1
    pd.testing.assert_frame_equal(resumed.forecasts, whole.forecasts)
    Counting.fits = 0
    run(series(), tmp_path)
    assert Counting.fits == 0


def test_a_folder_that_cannot_be_made_is_refused_by_its_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"`resume`.*file"):
        StoredOrigins(tmp_path / "file" / "folder")


def test_nothing_half_written_is_left_where_writing_fails(tmp_path):
    store = StoredOrigins(tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        store.write("key", OriginForecasts(np.array([[np.nan]]), None, {}))
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_that_lightning_makes_an_exit_is_one_again(tmp_path):
    fits = []

    class Interrupted(RepeatSeason):
        def _learn(self, values):
            fits.append(len(values))
            if len(fits) < 3:
                super()._learn(values)
                return
            try:
                raise KeyboardInterrupt
            except KeyboardInterrupt:
                signal.signal(signal.SIGINT, signal.SIG_IGN)
                sys.exit(1)

    before = signal.getsignal(signal.SIGINT)
    models = {"naive": RepeatSeason(), "interrupted": Interrupted()}
    with pytest.raises(KeyboardInterrupt):
        compare(series(), 3, models, n_origins=4, classical=False, resume=tmp_path)
    assert signal.getsignal(signal.SIGINT) is before
    assert len(list(tmp_path.iterdir())) == 3 + 2  # the naive row was there at the third origin


def test_a_failure_is_not_kept_but_tried_again(tmp_path):
    class Fails(RepeatSeason):
        def _learn(self, values):
            raise RuntimeError("not today")

    found = run(series(), tmp_path, Fails())
    assert len(found.failures) == 5
    assert list(tmp_path.glob("*.json")) == []


def test_a_description_is_the_same_for_equal_parameters_and_names_what_has_none():
    assert describe(RidgeVAR(season=4)) == describe(RidgeVAR(season=4).clone())
    assert describe(RidgeVAR(season=4)) != describe(RidgeVAR(season=5))
    assert describe(RepeatSeason(1)) != describe(RidgeVAR(1))
    assert describe({"weights": np.arange(3.0)}) != describe({"weights": np.arange(3)})
    with pytest.raises(NotDescribable, match=r"\['loss'\] is .*lambda"):
        describe({"loss": lambda error: error})
    circle: list = []
    circle.append(circle)
    with pytest.raises(NotDescribable, match="too deep"):
        describe(circle)


class WithLoss(RepeatSeason):
    """A naive forecast with a parameter that may be a function."""

    def __init__(self, loss=None):
        self.loss = loss
        super().__init__()


class Loss:
    """Prints nothing of what it does."""

    def __init__(self, weight):
        self.weight = weight

    def __repr__(self):
        return "Loss()"

    def of(self, errors):
        return self.weight * errors


def weighted(weight):
    @functools.wraps(series)
    def loss(errors):
        return weight * errors

    return loss


LONG = np.random.default_rng(0).normal(size=2000)
OTHER = np.where(np.arange(2000) == 1000, LONG + 1, LONG)
HOURS = pd.date_range("2000", periods=2000, freq="h")


@pytest.mark.parametrize(
    "values",
    [
        [functools.partial(operator.mul, by) for by in (1.0, 100.0)],
        [functools.partial(max, key=key) for key in (abs, len)],
        [Loss(by) for by in (1.0, 100.0)],
        [Loss(by).of for by in (1.0, 100.0)],
        [math.sin, cmath.sin, np.sin, abs],
        [LONG, OTHER, LONG.astype("f4")],
        [pd.Series(LONG), pd.Series(OTHER), pd.Series(LONG, HOURS), pd.Series(LONG, name="a")],
        [HOURS, HOURS + pd.Timedelta("1h"), HOURS.tz_localize("UTC"), HOURS.to_period("h")],
        [pd.DataFrame({"a": LONG, "b": OTHER}), pd.DataFrame({"b": LONG, "a": OTHER})],
        [pd.DataFrame({"a": ["x", other]}) for other in ("y", "z")],
        [{1: 2}, {"1": 2}],
        [{"a", "b"}, {"a", "c"}],
        [b"a", b"b"],
        [re.compile("a" * 300 + last) for last in ("b", "c")],
        [np.random.default_rng(seed) for seed in (0, 1)],
        [pd.offsets.MonthEnd(n) for n in (1, 2)],
    ],
)
def test_parameters_that_forecast_differently_are_never_described_alike(values):
    described = [describe({"loss": value}) for value in values]
    assert len(set(described)) == len(values)
    assert [describe({"loss": copy.deepcopy(value)}) for value in values] == described


def test_tensors_are_described_by_their_numbers():
    torch = pytest.importorskip("torch")
    values = [torch.tensor(LONG), torch.tensor(OTHER), torch.tensor(LONG).bfloat16()]
    assert len({describe({"loss": value}) for value in values}) == 3
    losses = [torch.nn.CrossEntropyLoss(weight=value) for value in values]
    assert len({describe({"loss": loss}) for loss in losses}) == 3


def test_a_description_is_the_same_in_another_process():
    pytest.importorskip("torch")
    program = (
        "import functools, pandas as pd, torch\n"
        "from samovar_forecast.comparison.stored_origins import describe\n"
        "loss = torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0]))\n"
        "times = pd.date_range('2000', periods=9, tz='Europe/Paris')\n"
        "parts = [loss, {'a', 'b', 'c'}, pd.Series(range(9), times), functools.partial(abs, 1)]\n"
        "print(describe(parts))"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert found[0] == found[1] != ""


@pytest.mark.parametrize(
    ("loss", "told"),
    [
        (weighted(2.0), "is series"),
        (functools.partial(lambda by, error: by * error, 2.0), "is <lambda>"),
        (threading.Lock(), "lock object"),
    ],
)
def test_a_parameter_that_no_text_tells_from_others_is_named(loss, told):
    with pytest.raises(NotDescribable, match=rf"\['loss'\] {told}|\['loss'\] is .*{told}"):
        describe({"loss": loss})


def test_a_model_that_cannot_be_described_is_compared_all_the_same(tmp_path):
    with pytest.warns(NotResumableWarning, match=r"WithLoss is not resumed.*lambda"):
        found = run(series(), tmp_path, WithLoss(lambda error: error))
    assert found.failures.empty
    assert list(tmp_path.iterdir()) == []
    run(series(), tmp_path, WithLoss(abs))
    assert len(list(tmp_path.iterdir())) == 5


def test_the_hash_of_data_knows_names_times_and_the_last_bit():
    y = series()
    assert data_hash(y) == data_hash(y.copy())
    nudged = y.copy()
    nudged.iloc[5, 0] = np.nextafter(nudged.iloc[5, 0], np.inf)
    others = [nudged, y.rename(columns={"a": "c"}), y.set_axis(y.index + 1), y.iloc[:-1]]
    assert len({data_hash(frame) for frame in [y, *others]}) == 5


def test_a_comparison_without_a_folder_neither_warns_nor_writes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("error", NotResumableWarning)
        run(series(), None)
    assert list(tmp_path.iterdir()) == []
