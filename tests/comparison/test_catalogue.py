"""Forecasters by name."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
import pandas as pd
import pytest

from samovar_forecast.comparison import Task, catalogue, compare, from_catalogue, known_forecasters
from samovar_forecast.exceptions import ConfigurationError, MissingPackageError, SAMoVARError

TASK = Task(horizon=4, season=1, n_rows=100)


def test_what_is_installed_is_known_and_built_by_one_word():
    known = known_forecasters()
    assert known["AutoETS"]
    assert set(from_catalogue(["installed"], TASK)) == {
        name for name, there in known.items() if there and name != "Chronos2"
    }


def test_a_zero_shot_model_has_to_be_named_and_says_where_its_weights_come_from(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    with monkeypatch.context() as patched:
        built = dict.fromkeys(catalogue._CATALOGUE, 0)
        for name, entry in catalogue._CATALOGUE.items():
            fake = entry._replace(build=lambda task, name=name: built.update({name: 1}))
            patched.setitem(catalogue._CATALOGUE, name, fake)
        from_catalogue(["installed"], TASK)
    assert built.pop("Chronos2") == 0
    assert all(built.values())

    def unreachable(task: Task) -> None:
        raise OSError("no route to host")

    fake = catalogue._CATALOGUE["Chronos2"]._replace(build=unreachable)
    monkeypatch.setitem(catalogue._CATALOGUE, "Chronos2", fake)
    with pytest.raises(SAMoVARError, match=r"weights of Chronos2 .*no route .*amazon/chronos-2"):
        from_catalogue(["Chronos2"], TASK)


def test_a_name_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(ConfigurationError, match=r"found: 'Oracle'; wanted: .*AutoETS"):
        from_catalogue(["Oracle"], TASK)


def test_a_model_whose_package_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"AutoARIMA needs .*pip install statsforecast"):
        from_catalogue(["AutoARIMA"], TASK)
    assert not any(known_forecasters().values())


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        *("NLinear", "DLinear", "TiDE", "TSMixer", "NHiTS", "TFT"),
        *("iTransformer", "PatchTST", "Informer", "Autoformer"),
    ],
)
def test_a_network_by_name_learns_forecasts_resumes_and_leaves_nothing_behind(
    name, tmp_path, monkeypatch, capfd
):
    pytest.importorskip("darts")
    if not known_forecasters()[name]:
        pytest.skip("neuralforecast is not installed: pip install neuralforecast")
    rng = np.random.default_rng(0)
    y = pd.DataFrame(1e6 + 1e3 * rng.normal(size=(90, 2)), columns=["a", "b"])
    monkeypatch.setattr(catalogue, "EPOCHS", 1)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # neuralforecast's own packages, as they are imported
        models = from_catalogue([name], Task(horizon=4, season=1, n_rows=60))
    capfd.readouterr()
    settings = {"n_origins": 2, "refit": "first", "resume": tmp_path / "finished"}
    found = compare(y, 4, models, **settings)
    assert found.failures.empty
    scores = found.scores()["MSE"]
    assert 0 < scores[name] < 20 * scores["Naive"]
    assert found.effort().loc[name, "note"] == ""
    again = compare(y, 4, from_catalogue([name], Task(4, 1, 60)), **settings)
    assert again.runs["resumed"].all()
    pd.testing.assert_frame_equal(again.forecasts, found.forecasts)
    assert list((tmp_path / "here").iterdir()) == []
    assert "Seed set" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("task", "context"),
    [
        (Task(4, 12, 300), 24),
        (Task(96, 24, 10_000), 384),
        (Task(720, 24, 10_000), 512),
        (Task(8, 1, 30), 10),
    ],
)
def test_the_context_of_a_network_follows_from_horizon_season_and_rows(task, context):
    assert task.context == context
