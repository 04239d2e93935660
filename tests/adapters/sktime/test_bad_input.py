"""Bad input is an error of ours that names the thing; the process around a fit changes nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from sktime.split import ExpandingWindowSplitter

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.exceptions import ConfigurationError, DataError, TrainingError
from tests.builders.sktime import TINY, waves

LINEAR = {"pretrained": False}


@pytest.fixture(scope="module")
def fitted() -> SAMoVARForecaster:
    return SAMoVARForecaster(**LINEAR).fit(waves(40), fh=[1, 2])


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize("size", [1e154, 1e200, 1e306])
def test_values_whose_squares_are_no_numbers_are_refused_by_their_place(size):
    y = waves(40)
    y.iloc[3, 1] = size
    with pytest.raises(DataError, match=r"column 'b' of y.*squares are no numbers.*2024-01-04"):
        SAMoVARForecaster().fit(y, fh=1)
    with pytest.raises(DataError, match=r"column 'b' of X"):
        SAMoVARForecaster().fit(waves(40), X=y, fh=1)


@pytest.mark.parametrize("size", [1e-300, 1e140])
def test_values_of_every_other_size_are_forecast(size):
    forecaster = SAMoVARForecaster(**LINEAR).fit(waves(40) * size, fh=[1, 2])
    assert np.isfinite(forecaster.predict()).all(axis=None)
    assert np.isfinite(forecaster.predict_interval()).all(axis=None)


def test_a_forecast_that_is_not_finite_is_an_error(monkeypatch, fitted):
    bad = np.full((2, 2), np.nan)
    monkeypatch.setattr(type(fitted._model), "forecast", lambda *given: [bad])
    with pytest.raises(DataError, match=r"the forecast is not finite; found: 4 values"):
        fitted.predict()


@pytest.mark.filterwarnings("ignore:the uncertainty is that of forecasts within")
def test_numbers_of_numpy_are_numbers():
    settings = {
        **TINY,
        "max_epochs": np.int64(1),
        "d_model": np.int32(8),
        "batch_size": np.int64(16),
        "patience": np.int8(3),
        "learning_rate": np.float32(1e-3),
        "dropout": np.float64(0.1),
        "validation_fraction": np.float32(0.2),
        "quantiles": np.array([0.1, 0.5, 0.9], dtype=np.float32),
        "linear": np.bool_(False),
        "random_state": np.int64(3),
    }
    forecaster = SAMoVARForecaster(**settings).fit(waves(40), fh=[1, 2])
    assert forecaster.network_.config.d_model == 8
    assert len(forecaster.sample_paths(n_paths=np.int64(2))) == 4


def test_a_number_too_large_for_a_float_is_refused():
    y = waves(40).astype(object)
    y.iloc[3, 0] = 10**400
    with pytest.raises(DataError, match="column 'a' of y is not numeric"):
        SAMoVARForecaster().fit(y, fh=1)


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("linear", "no"),
        ("pretrained", 1),
        ("train", "yes"),
        ("verbose", "no"),
        ("checkpoint", 5),
        ("checkpoint_dir", 5),
        ("device", 5),
        ("validation_fraction", "x"),
        ("validation_fraction", float("nan")),
        ("past_covariates", 5),
        ("past_covariates", [["sun"]]),
        ("batch_size", "x"),
        ("batch_size", 0),
        ("n_layers", 10**12),
        ("n_layers", 2.5),
        ("d_model", 10**9),
        ("normalization", ["window"]),
        ("quantiles", ["a", "b"]),
        ("max_epochs", True),
    ],
)
def test_an_argument_that_cannot_work_is_refused_by_its_name(name, value):
    with pytest.raises(ConfigurationError, match=f"{name}|width"):
        SAMoVARForecaster(**{**TINY, name: value}).fit(waves(40), X=waves(40), fh=1)


@pytest.mark.parametrize("names", [["a"], ("a",), pd.Index(["a"]), np.array(["a"]), "a"])
def test_past_covariates_may_be_named_by_any_list(names):
    forecaster = SAMoVARForecaster(**LINEAR, past_covariates=names)
    y = waves(40).set_axis(["u", "v"], axis=1)
    with pytest.warns(UserWarning, match="no effect"):
        forecaster.fit(y, X=waves(40)[["a"]], fh=1)
    assert list(forecaster._model.panel.past_names) == ["a"]


def test_covariates_without_a_value_ahead_are_told():
    shocks = np.random.default_rng(1).normal(size=(62, 1))
    y, X = waves(60), pd.DataFrame(shocks, waves(62).index, columns=["u"])
    forecaster = SAMoVARForecaster(**LINEAR).fit(y + 9 * shocks[:60], X=X[:60], fh=[1, 2])
    with pytest.warns(UserWarning, match=r"no value ahead in \['u'\].*counts as its mean"):
        forecaster.predict(X=X[60:] * np.nan)


@pytest.mark.parametrize("n_values", [1, 7])
def test_intervals_from_few_values_are_told(n_values):
    y = waves(40)
    y.iloc[:-n_values, 0] = np.nan
    forecaster = SAMoVARForecaster().fit(y, fh=[1])
    with pytest.warns(UserWarning, match=f"^{n_values} values of a series say little"):
        forecaster.predict_interval(coverage=0.8)


def test_columns_may_be_called_true_and_false():
    y = waves(40).set_axis([True, False], axis=1)
    forecaster = SAMoVARForecaster(**LINEAR).fit(y, fh=[1, 2])
    expected = SAMoVARForecaster(**LINEAR).fit(waves(40), fh=[1, 2])
    np.testing.assert_allclose(forecaster.predict(), expected.predict(), rtol=1e-10)
    assert list(forecaster.predict()) == [True, False]


@pytest.mark.parametrize("levels", [[], "x", [2], 1.0, 0.0, [0.1, "b"], None])
def test_levels_that_are_none_are_refused(fitted, levels):
    with pytest.raises(ConfigurationError, match="coverage holds no levels"):
        fitted.predict_interval(coverage=levels)
    if levels is not None:
        with pytest.raises(ConfigurationError, match="alpha holds no levels"):
            fitted.predict_quantiles(alpha=levels)


def test_a_horizon_without_end_is_refused_before_memory_ends(fitted):
    with pytest.raises(DataError, match=r"reaches too far.*1000000000 steps of 2 series.*10000000"):
        fitted.predict(fh=[10**9])
    with pytest.raises(DataError, match="reaches too far"):
        SAMoVARForecaster(**LINEAR).fit(waves(40), fh=[10**9])
    assert fitted.predict().shape == (2, 2)  # the horizon of before


def test_a_horizon_that_failed_is_forgotten(fitted):
    with pytest.raises(DataError, match="a past before the first row"):
        fitted.predict(fh=[-100])
    earlier = waves(40).set_axis(waves(40).index - pd.Timedelta(days=1))
    with pytest.raises(DataError, match="a past before the first row"):
        fitted.predict_residuals(earlier)
    assert fitted.predict().shape == (2, 2)


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/St_Johns", "UTC"])
@pytest.mark.parametrize("freq", ["D", "h"])
def test_a_time_zone_changes_no_forecast(zone, freq):
    answers = []
    for own in (None, zone):
        index = pd.date_range("2024-03-20", periods=40, freq=freq, tz=own)
        y = waves(40).set_axis(index if freq == "h" else pd.DatetimeIndex(list(index)))
        answers.append(SAMoVARForecaster(**LINEAR).fit(y, fh=[1, 9]).predict())
    np.testing.assert_array_equal(*answers)
    assert answers[1].index.tz is not None


@pytest.mark.filterwarnings("ignore:the covariates X have no effect")
@pytest.mark.parametrize("zone", [None, "Europe/Paris"])
def test_rows_in_another_time_zone_are_refused_at_every_door(zone):
    X = waves(44, seed=1).set_axis(["u", "v"], axis=1).tz_localize("UTC")
    y = waves(40).tz_localize("UTC")
    y2, X2 = (frame.tz_localize(None).tz_localize(zone) for frame in (y, X))
    plain = SAMoVARForecaster(**LINEAR).fit(y, fh=[1, 2])
    with_X = SAMoVARForecaster(**LINEAR).fit(y, X=X, fh=[1, 2])
    windows = ExpandingWindowSplitter(fh=[1], initial_window=36)
    for where, call in (
        ("y", lambda: plain.update(y2)),
        ("y", lambda: plain.update_predict(y2, windows, update_params=False)),
        ("y", lambda: plain.predict_origins(y2, [36], horizon=1)),
        ("y", lambda: plain.explain(y2)),
        ("X", lambda: SAMoVARForecaster(**LINEAR).fit(y, X=X2)),
        ("X", lambda: with_X.predict(X=X2)),
        ("X", lambda: with_X.update(y, X=X2)),
        ("X", lambda: with_X.explain(X=X2)),
        ("X", lambda: with_X.explain(y, X=X2)),
    ):
        message = rf"index of {where} is in another time zone.*found: {zone}; wanted: UTC"
        with pytest.raises(DataError, match=message):
            call()
    assert with_X.predict(X=X).shape == (2, 2)


# ---------------------------------------------------------------- the process around us


@pytest.mark.filterwarnings("ignore:the uncertainty is that of forecasts within")
@pytest.mark.parametrize("settings", [{}, TINY], ids=["default", "trained"])
def test_torchs_defaults_around_a_fit_change_nothing(settings):
    def answer() -> pd.DataFrame:
        return SAMoVARForecaster(**settings).fit(waves(40), fh=[1, 2]).predict_interval()

    expected = answer()
    torch.set_default_dtype(torch.float64)
    try:
        found = [answer()]
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    with torch.inference_mode():
        found.append(answer())
        assert torch.is_inference_mode_enabled()
    with torch.no_grad(), torch.device("meta"):
        found.append(answer())
        assert torch.empty(1).is_meta
        assert not torch.is_grad_enabled()
    for one in found:
        pd.testing.assert_frame_equal(one, expected, check_exact=True)


@pytest.mark.slow  # a fresh process that imports everything
def test_the_first_fit_leaves_no_filter_no_handler_and_no_changed_state_behind(tmp_path):
    code = """
import logging, random, warnings
import numpy as np, pandas as pd, torch
from samovar_forecast import SAMoVARForecaster
import sktime.forecasting.base
y = pd.DataFrame(np.sin(np.arange(80.0)).reshape(40, 2))
def state():
    names = ("", "pytorch_lightning", "lightning", "lightning.pytorch", "torch")
    return {
        "filters": list(warnings.filters),
        "handlers": [list(logging.getLogger(name).handlers) for name in names],
        "random": random.getstate(), "numpy": np.random.get_state()[1].tolist(),
        "torch": torch.random.get_rng_state().tolist(), "type": torch.get_default_dtype(),
        "threads": torch.get_num_threads(), "grad": torch.is_grad_enabled(),
    }
before = state()
forecaster = SAMoVARForecaster(d_model=8, n_layers=1, max_epochs=1, pretrained=False, train=True)
forecaster.fit(y, fh=1).predict()
after = state()
print([name for name in before if before[name] != after[name]])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=180
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_loss_that_is_no_number_is_told_and_the_earlier_fit_stays(monkeypatch):
    from samovar_forecast.network.heads import PointHead

    forecaster = SAMoVARForecaster(**TINY).fit(waves(40), fh=[1, 2])
    before = forecaster.predict()
    errors = PointHead.errors
    monkeypatch.setattr(PointHead, "errors", lambda *given: errors(*given) * torch.nan)
    with pytest.raises(TrainingError, match="no finite loss"):
        forecaster.fit(waves(45), fh=[1, 2])
    monkeypatch.undo()
    pd.testing.assert_frame_equal(forecaster.predict(), before, check_exact=True)


def test_ctrl_c_leaves_the_earlier_fit(monkeypatch):
    from samovar_forecast.learning.loop import TrainingLoop

    forecaster = SAMoVARForecaster(**TINY).fit(waves(40), fh=[1, 2])
    before = forecaster.predict()

    def interrupt(*given: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(TrainingLoop, "training_step", interrupt)
    with pytest.raises(KeyboardInterrupt):
        forecaster.fit(waves(45), fh=[1, 2])
    pd.testing.assert_frame_equal(forecaster.predict(), before, check_exact=True)


@pytest.mark.parametrize(
    ("checkpoint_dir", "broken", "told"),
    [
        ("a file/in it", None, r"cannot be written to .*a file.*checkpoint_dir"),
        ("full disk", "fsync", r"cannot be written to .*No space left.*checkpoint_dir"),
        (None, "memory", r"more memory than there is.*allocate.*lower batch_size"),
    ],
)
def test_no_room_for_a_training_is_told_and_the_earlier_fit_stays(
    monkeypatch, tmp_path, checkpoint_dir, broken, told
):
    from samovar_forecast.learning.loop import TrainingLoop

    (tmp_path / "a file").touch()
    forecaster = SAMoVARForecaster(**TINY).fit(waves(40), fh=[1, 2])
    before = forecaster.predict()

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    if broken == "memory":
        monkeypatch.setattr(TrainingLoop, "training_step", lambda *given: torch.empty(10**15))
    elif broken == "fsync":
        monkeypatch.setattr("samovar_forecast.bundle.os.fsync", full)
    forecaster.checkpoint_dir = checkpoint_dir and tmp_path / checkpoint_dir
    with pytest.raises(TrainingError, match=f"(?s){told}"):
        forecaster.fit(waves(45), fh=[1, 2])
    pd.testing.assert_frame_equal(forecaster.predict(), before, check_exact=True)


def test_a_full_disk_is_told_and_the_artifact_of_before_stays(monkeypatch, tmp_path, fitted):
    import samovar_forecast.bundle as bundle
    from samovar_forecast.exceptions import ArtifactError

    fitted.save_artifact(tmp_path / "kept.zip")
    expected = (tmp_path / "kept.zip").read_bytes()

    def full(*given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bundle.os, "fsync", full)
    with pytest.raises(ArtifactError, match=r"No space left.*what was there before is still there"):
        fitted.save_artifact(tmp_path / "kept.zip")
    assert (tmp_path / "kept.zip").read_bytes() == expected
    assert [path.name for path in Path(tmp_path).iterdir()] == ["kept.zip"]
