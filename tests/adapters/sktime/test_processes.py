"""Forecasts in other processes: the same bits whatever the hash seed, and after a fork."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

pytest.importorskip("sktime", reason="sktime is not installed")

from samovar_forecast import SAMoVARForecaster
from tests.builders.sktime import TINY, waves

CODE = """
import hashlib, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
from samovar_forecast import SAMoVARForecaster
y = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)).cumsum(axis=0), columns=list("abc"))
X = pd.DataFrame({"x": np.sin(np.arange(63.0)), "z": np.cos(np.arange(63.0))})
small = {"train": True, "max_epochs": 1, "d_model": 8, "n_layers": 1, "random_state": 0}
panel = pd.concat({key: y for key in ("one", "two", "three")})
for settings, rows, known in (({}, y, X), ({**small, "pretrained": False}, panel, None)):
    forecaster = SAMoVARForecaster(**settings)
    forecaster.fit(rows, X=None if known is None else known[:60], fh=[1, 2, 3])
    ahead = None if known is None else known[60:]
    for answer in (forecaster.predict(X=ahead), forecaster.predict_interval(X=ahead)):
        print(hashlib.sha256(answer.to_numpy().tobytes()).hexdigest(), list(answer.columns))
    print(forecaster.shares_.to_csv())
"""


@pytest.mark.slow  # processes of their own, each with all its imports
def test_the_hash_seed_of_python_changes_no_bit():
    told = [
        subprocess.check_output(
            [sys.executable, "-c", CODE], env={**os.environ, "PYTHONHASHSEED": seed}, text=True
        )
        for seed in ("1", "2")
    ]
    assert told[0] == told[1]
    assert told[0].count("linear") > 3


def in_fork(ask: Callable[[], np.ndarray]) -> str:
    """What a forked child answers, in a word for its bits; a child that hangs is ended."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=lambda: theirs.send(word(ask())))
    child.start()
    theirs.close()
    try:
        assert ours.poll(600), "the child hangs"
        return ours.recv()
    finally:
        child.kill()
        child.join()
        ours.close()


def word(answer: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(answer).tobytes()).hexdigest()


@pytest.mark.skipif(
    "fork" not in multiprocessing.get_all_start_methods(), reason="processes cannot be forked"
)
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.parametrize(
    "settings", [{"pretrained": False}, {}, TINY], ids=["linear", "default", "trained"]
)
def test_a_forked_child_forecasts_and_fits_the_same_bits(settings):
    y = waves(60)
    fitted = SAMoVARForecaster(**settings).fit(y, fh=[1, 2, 3])
    expected = {ask: word(getattr(fitted, ask)()) for ask in ("predict", "predict_interval")}
    for ask, bits in expected.items():
        assert in_fork(lambda ask=ask: getattr(fitted, ask)().to_numpy()) == bits
    again = in_fork(lambda: fitted.clone().fit(y, fh=[1, 2, 3]).predict().to_numpy())
    assert again == expected["predict"]
