"""A fitted forecaster is kept whole: another process has the same bits, and goes on from there."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from dateutil.tz import gettz
from sktime.exceptions import NotFittedError
from sktime.forecasting.base import ForecastingHorizon

from samovar_forecast import SAMoVARForecaster
from samovar_forecast.artifact import KIND, NUMBERS
from samovar_forecast.artifact.tensors import from_bytes, to_bytes
from samovar_forecast.bundle import DOCUMENT, read_bundle, write_bundle
from samovar_forecast.exceptions import ArtifactError, ConfigurationError
from tests.builders import artifacts
from tests.builders.sktime import TINY, panel, walks, waves

NO_MODEL = {"pretrained": False}
ASKED = ("predict", "predict_interval", "predict_var")


def assert_same(found, expected) -> None:
    """Compare bit for bit, with index, columns and names."""
    if isinstance(expected, pd.Series):
        pd.testing.assert_series_equal(found, expected, check_exact=True)
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
    elif isinstance(expected, list):
        for one, other in zip(found, expected, strict=True):
            assert_same(one, other)
    else:
        np.testing.assert_array_equal(found, expected)


def reload(forecaster: SAMoVARForecaster, path: Path) -> SAMoVARForecaster:
    forecaster.save_artifact(path)
    return SAMoVARForecaster.load_artifact(path)


def covariates() -> pd.DataFrame:
    return waves(90, seed=5).set_axis(["u", "v"], axis=1)


def days(n_time: int = 70) -> pd.DataFrame:
    return waves(n_time)


def long_panel() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(3, 2, 40)).cumsum(axis=2)


CASES: dict[str, Callable[[], tuple[SAMoVARForecaster, dict]]] = {
    "default": lambda: (SAMoVARForecaster(), {"y": days()}),
    "periods": lambda: (SAMoVARForecaster(**NO_MODEL), {"y": walks(70)}),
    "numbers": lambda: (SAMoVARForecaster(**NO_MODEL), {"y": days().reset_index(drop=True)}),
    "a series": lambda: (SAMoVARForecaster(**NO_MODEL), {"y": days()["b"]}),
    "a series without a name": lambda: (
        SAMoVARForecaster(**NO_MODEL),
        {"y": days()["b"].rename(None)},
    ),
    "an array": lambda: (SAMoVARForecaster(**NO_MODEL), {"y": days().to_numpy()}),
    "covariates": lambda: (
        SAMoVARForecaster(**NO_MODEL, past_covariates=["u"]),
        {"y": days(), "X": covariates().iloc[:70]},
    ),
    "gaps": lambda: (
        SAMoVARForecaster(**NO_MODEL),
        {"y": days().mask(days() > days().quantile(0.9))},
    ),
    "trained": lambda: (SAMoVARForecaster(**TINY, quantiles=[0.1, 0.5, 0.9]), {"y": days()}),
    "panel": lambda: (SAMoVARForecaster(**{**TINY, "linear": True}), {"y": panel(2, 40)}),
    "cube": lambda: (SAMoVARForecaster(**NO_MODEL), {"y": long_panel()}),
    "list": lambda: (
        SAMoVARForecaster(**NO_MODEL),
        {"y": [walks(40), walks(30)]},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_loaded_forecaster_answers_and_goes_on_bit_for_bit(name, tmp_path):
    forecaster, given = CASES[name]()
    forecaster.fit(**given, fh=[1, 3])
    loaded = reload(forecaster, tmp_path / "kept.zip")
    assert loaded.get_params() == {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in forecaster.get_params().items()
    }
    ahead = {"X": covariates()} if "X" in given else {}
    for ask in ASKED:
        assert_same(getattr(loaded, ask)(**ahead), getattr(forecaster, ask)(**ahead))
    pd.testing.assert_frame_equal(loaded.shares_, forecaster.shares_)
    pd.testing.assert_index_equal(loaded.cutoff, forecaster.cutoff)
    if isinstance(given["y"], pd.DataFrame) and isinstance(given["y"].index, pd.DatetimeIndex):
        newer = {"y": waves(74).iloc[70:]}
        newer |= {"X": covariates().iloc[70:74]} if "X" in given else {}
        for model in (forecaster, loaded):
            model.update(**newer)
        for ask in ASKED:
            assert_same(getattr(loaded, ask)(**ahead), getattr(forecaster, ask)(**ahead))
        assert loaded.cutoff[0] == newer["y"].index[-1]


def test_a_forecaster_of_times_in_a_zone_of_dateutil_goes_on(tmp_path):
    y = days().tz_localize(gettz("Europe/Berlin"))
    forecaster = SAMoVARForecaster(**NO_MODEL).fit(y, fh=[1, 3])
    loaded = reload(forecaster, tmp_path / "kept.zip")
    newer = waves(74).iloc[70:].tz_localize(gettz("Europe/Berlin"))
    for _ in range(2):
        found, expected = loaded.predict(), forecaster.predict()
        assert_same(found.to_numpy(), expected.to_numpy())
        assert (found.index == expected.index).all()
        for model in (forecaster, loaded):
            model.update(newer, update_params=False)


def test_dates_that_were_asked_for_come_back(tmp_path):
    y = days()
    dates = ForecastingHorizon(
        pd.date_range("2024-03-12", periods=2, freq="D", name="day"), is_relative=False
    )
    forecaster = SAMoVARForecaster(**NO_MODEL).fit(y, fh=dates)
    loaded = reload(forecaster, tmp_path / "kept.zip")
    assert_same(loaded.predict(), forecaster.predict())
    assert not loaded.fh.is_relative


def test_a_training_comes_back_with_its_history(tmp_path):
    forecaster = SAMoVARForecaster(**TINY).fit(days(), fh=[1, 2])
    loaded = reload(forecaster, tmp_path / "kept")
    pd.testing.assert_frame_equal(loaded.history_, forecaster.history_)
    assert loaded.best_epoch_ == forecaster.best_epoch_
    assert loaded.context_length_ == forecaster.context_length_
    card = json.loads((tmp_path / "kept" / DOCUMENT).read_text())["content"]["card"]
    assert card["epochs"] == 2
    assert card["series"] == ["a", "b"]
    assert len(card["data_sha256"]) == 64
    assert card["versions"].keys() >= {"samovar_forecast", "torch", "sktime"}


def test_another_process_forecasts_and_updates_with_the_same_bits_and_unpickles_nothing(tmp_path):
    forecaster = SAMoVARForecaster().fit(days(), fh=[1, 2, 3])
    forecaster.save_artifact(tmp_path / "kept.zip")
    waves(74).iloc[70:].to_pickle(tmp_path / "newer.pkl")
    code = f"""
import pickle, sys
import pandas as pd, torch
newer = pd.read_pickle({str(tmp_path / "newer.pkl")!r})
def refuse(*given, **named): raise AssertionError("unpickled")
for place in (torch, pickle): place.load = refuse
pickle.loads = pickle.Unpickler = refuse
from samovar_forecast import SAMoVARForecaster
loaded = SAMoVARForecaster.load_artifact({str(tmp_path / "kept.zip")!r})
found = [loaded.predict(), loaded.predict_interval(coverage=[0.5, 0.9])]
found.append(loaded.update(newer).predict())
assert "pytorch_lightning" not in sys.modules
print(repr([frame.to_numpy().tobytes().hex() for frame in found]))
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    expected = [forecaster.predict(), forecaster.predict_interval(coverage=[0.5, 0.9])]
    expected.append(forecaster.update(waves(74).iloc[70:]).predict())
    assert eval(done.stdout) == [frame.to_numpy().tobytes().hex() for frame in expected]


def test_what_was_pretrained_alone_is_kept_without_data_and_fits_what_it_would_have(tmp_path):
    pretrained = SAMoVARForecaster(**TINY).pretrain(panel(2, 40), fh=[1, 2])
    loaded = reload(pretrained, tmp_path / "kept")
    assert loaded.state == "pretrained"
    own, other = (model.fit(waves(40, seed=8), fh=[1, 2]) for model in (pretrained, loaded))
    assert_same(other.predict(), own.predict())
    (numbers,) = (tmp_path / "kept").glob("numbers-*.safetensors")
    names = from_bytes(numbers.read_bytes(), "numbers")
    assert {name.split(".")[1] for name in names} == {"pretrained"}


def test_a_generator_is_kept_as_the_seed_drawn_from_it(tmp_path):
    settings = {**TINY, "random_state": np.random.default_rng(3)}
    forecaster = SAMoVARForecaster(**settings).fit(days(), fh=[1, 2])
    loaded = reload(forecaster, tmp_path / "kept.zip")
    assert loaded.random_state == forecaster._seed


def test_nothing_learned_is_nothing_to_save(tmp_path):
    with pytest.raises(NotFittedError, match="nothing to save"):
        SAMoVARForecaster().save_artifact(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_names_that_no_artifact_can_hold_are_refused_and_nothing_is_written(tmp_path):
    y = days().set_axis([frozenset([1]), frozenset([2])], axis=1)
    forecaster = SAMoVARForecaster(**NO_MODEL).fit(y, fh=1)
    with pytest.raises(ConfigurationError, match=r"no artifact can hold.*frozenset"):
        forecaster.save_artifact(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


# ---------------------------------------------------------------- versions, crafted files


def test_the_artifact_of_version_1_loads_for_ever():
    path, forecasts = artifacts.golden_paths(1)
    loaded = SAMoVARForecaster.load_artifact(path)
    expected = json.loads(forecasts.read_text())
    for name, found in artifacts.answers(loaded).items():
        np.testing.assert_allclose(found, expected[name], rtol=1e-5)
    assert list(loaded.shares_.index.unique("member")) == ["linear", "pretrained", "trained"]


@pytest.fixture(scope="module")
def known() -> tuple[dict, dict[str, torch.Tensor]]:
    """Content and numbers of the artifact of version 1."""
    bundle = read_bundle(artifacts.golden_paths(1)[0], KIND, (NUMBERS,))
    return bundle.content, from_bytes(bundle.files[NUMBERS], "it")


def put(state: dict, place: str, value: object) -> dict:
    """Return the state with another value at a dotted place."""
    first, _, rest = place.partition(".")
    number = int(first) if isinstance(state, list) else first
    changed = state.copy()
    if value is ... and not rest:
        changed.pop(number)
    else:
        changed[number] = put(state[number], rest, value) if rest else value
    return changed


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        ("fit.model.average.members.2.trained.is_held_out", "no", "is no bool"),
        ("fit.model.average.members.2.trained.is_held_out", 1, "is no bool"),
        ("fit.model.average.members.2.trained.beside", ["other"], "known by name"),
        ("fit.model.average.members.2.trained.network.config.n_layers", 10**12, "at most 1000"),
        ("fit.model.average.members.2.trained.network.config.n_layers", 900, "do not fit"),
        ("fit.model.average.members.2.trained.head", {"kind": "gaussian"}, "the head is that"),
        ("fit.model.average.members.2.honest_from", [0.0], "its first row"),
        ("fit.model.average.members.1.season", 10**12, "no season of"),
        ("fit.model.average.members.1.network.config.patch_length", 0, "counted from 1"),
        ("fit.model.average.members.1.network.config.width", 2**20, "the heads must|do not fit"),
        ("fit.model.average.members.1.kind", "os", "cannot be read"),
        ("fit.model.average.members.0.forecasts", [], "its linear forecast"),
        ("fit.model.average.calibrations", [], "its errors"),
        ("fit.model.average.shares", [], "has its shares"),
        ("fit.model.scalers", [], "has its scales"),
        ("fit.model.panel.instances", [], "instances and series"),
        ("fit.model.panel.grid.freq", None, "a grid has a frequency|cannot be read"),
        ("fit.model.panel.grid.kind", "weeks", "none of"),
        ("fit.model.panel.instances.0.last", "yesterday", "cannot be read|last time"),
        ("fit.model.panel.instances.0.key", "south", "keys of their own"),
        ("fit.model.panel.holds_all", True, "no field 'holds_all'"),
        ("fit.model.panel.target_names", {"range": [0, 9, 1], "name": None}, "the shape"),
        ("fit.container", "os.system", "no container"),
        ("fit.seed", "0", "is no int"),
        ("fit.hook", "import os", "no field 'hook'"),
        ("fit.data", ..., "the field 'data' is missing"),
        ("parameters", [["surprise", 1]], "parameter that is not known"),
        ("parameters", [["validation_fraction", 7]], "validation_fraction"),
        ("parameters", [["train", "no"]], "train"),
    ],
)
def test_a_crafted_state_is_refused_whatever_its_checksums(known, tmp_path, place, value, told):
    content, numbers = known
    state = put(content["state"], place, value)
    write_bundle(
        tmp_path / "x.zip", KIND, {**content, "state": state}, {NUMBERS: to_bytes(numbers)}
    )
    with pytest.raises(ArtifactError, match=told):
        SAMoVARForecaster.load_artifact(tmp_path / "x.zip")


def test_crafted_numbers_are_refused_each(known, tmp_path):
    content, numbers = known
    for name, tensor in sorted(numbers.items())[::8]:
        spoilt = [tensor[None]]
        if tensor.is_floating_point() and tensor.numel():
            bad = tensor.clone()
            bad.view(-1)[0] = torch.inf
            spoilt.append(bad)
        for other in spoilt:
            files = {NUMBERS: to_bytes({**numbers, name: other})}
            write_bundle(tmp_path / "x.zip", KIND, content, files)
            with pytest.raises(ArtifactError, match=r"."):
                SAMoVARForecaster.load_artifact(tmp_path / "x.zip")


def test_a_checkpoint_without_a_trained_network_is_refused(tmp_path):
    SAMoVARForecaster(**NO_MODEL).fit(days(), fh=1).save_artifact(tmp_path / "kept.zip")
    with pytest.raises(ArtifactError, match="holds no trained network"):
        SAMoVARForecaster(checkpoint=tmp_path / "kept.zip").fit(days(), fh=1)
