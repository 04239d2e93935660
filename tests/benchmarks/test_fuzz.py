"""The search for bad endings is decided by its seeds, and knows a bad ending."""

from __future__ import annotations

import argparse
import inspect
import random
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

pytest.importorskip("sktime", reason="sktime is not installed")

from benchmarks.fuzz import command, compare_calls, frames, rule, sktime_calls, terminal_calls
from benchmarks.fuzz.artifacts import damaged
from benchmarks.records import Records
from samovar_forecast import SAMoVARForecaster, cli
from samovar_forecast.comparison import compare
from samovar_forecast.exceptions import DataError


def test_a_case_is_decided_by_its_seed():
    for seed in range(20):
        first, again = (frames.nasty_frame(random.Random(seed)) for _ in range(2))
        pd.testing.assert_frame_equal(first, again)
        assert repr(frames.nasty_arguments(random.Random(seed))) == repr(
            frames.nasty_arguments(random.Random(seed))
        )
        assert damaged(b"0" * 500, random.Random(seed)) == damaged(b"0" * 500, random.Random(seed))


def test_a_foreign_error_and_a_changed_frame_are_against_the_rule(monkeypatch):
    def fail(self, y, **given):
        raise RuntimeError("of nobody")

    monkeypatch.setattr(SAMoVARForecaster, "fit", fail)
    assert frames.run_frame(1) == "broken: RuntimeError: of nobody"

    def change(self, y, **given):
        y.iloc[0, 0] = 55.5
        raise DataError("of ours")

    monkeypatch.setattr(SAMoVARForecaster, "fit", change)
    assert frames.run_frame(1) == "broken: the DataFrame of the user changed"


def test_an_error_of_numpy_is_that_of_who_called_it():
    y = pd.DataFrame({"a": [1.0, 2.0, 3.0]})
    called_by_us = rule.ending_of(lambda: DataError(**{"nothing": 1}))
    assert called_by_us.startswith("broken: TypeError")
    by_sktime = rule.ending_of(lambda: SAMoVARForecaster().fit("x", fh=[1]))
    assert by_sktime == "refused: by the host"
    assert rule.ending_of(lambda: SAMoVARForecaster().fit(y * float("inf"))) == "refused: DataError"


@pytest.mark.filterwarnings("ignore")
def test_what_a_call_changes_around_it_and_a_call_without_end_are_told(monkeypatch):
    def endless() -> None:
        while True:
            pass

    monkeypatch.setattr(rule, "SECONDS_OF_A_CASE", 0.05)
    assert rule.ending_of(endless) == "broken: TookTooLong: after 0.05 seconds of CPU"
    given = {"levels": [0.1]}
    ending = rule.ending_of(lambda: (torch.rand(1), random.random(), given.clear()), given)
    changed = "the state of random, the state of torch, the dict of the user changed"
    assert ending == f"broken: {changed}"


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(tmp_path, monkeypatch):
    seen = []

    def run(seed: int) -> str:
        if len(seen) == 7:
            seen.append("cut off")
            raise KeyboardInterrupt
        seen.append(seed)
        return "broken: x" if seed == 12 else "finite"

    monkeypatch.setattr(command, "PART", 3)
    monkeypatch.setitem(command.KINDS, "frames", lambda folder: run)
    asked = argparse.Namespace(kinds=["frames"], n=7, artefacts=0, first=10)
    path = tmp_path / "fuzz.json"
    with pytest.raises(KeyboardInterrupt):
        command.measure(Records(path), asked)
    command.measure(Records(path), asked)
    # Each run warms up on the first seed; two parts were whole when the first run was cut off.
    assert seen == [10, *range(10, 16), "cut off", 10, 16]
    found = Records(path).entries["frames"]
    assert (found["first"], found["cases"], found["broken"]) == (10, 7, [12])
    assert found["endings"] == {"broken": 1, "finite": 6}
    assert not any(name.startswith("seeds") for name in found)


def test_cases_are_divided_by_the_shares_and_a_single_case_is_of_the_kind_that_is_asked_for():
    kinds = list(command.SHARES)
    assert sum(command.cases_of_each(kinds, 1000).values()) == 1000
    assert command.cases_of_each([kinds[-1]], 1) == {kinds[-1]: 1}


def test_every_argument_of_the_sktime_forecaster_and_every_method_of_its_own_is_tried():
    parameters = inspect.signature(SAMoVARForecaster).parameters
    assert list(sktime_calls.CONSTRUCTOR) == list(parameters)
    ours = {
        name
        for base in SAMoVARForecaster.__mro__
        if base.__module__.startswith("samovar_forecast")
        for name, value in vars(base).items()
        if callable(getattr(value, "__func__", value)) and not name.startswith("_")
    }
    of_sktime = {"predict_var", "predict_proba", "update_predict", "score"}
    assert ours - {"get_test_params"} | of_sktime == set(sktime_calls.METHODS)


def test_every_argument_of_the_darts_models_is_tried():
    pytest.importorskip("darts", reason="darts is not installed")
    from benchmarks.fuzz import darts_calls
    from samovar_forecast import SAMoVARModel, SAMoVARZeroShotModel

    for model, own in (
        (SAMoVARModel, darts_calls.OF_TRAINED),
        (SAMoVARZeroShotModel, darts_calls.OF_ZERO_SHOT),
    ):
        own_names = set(inspect.signature(model.__init__).parameters)
        assert own_names <= {"self", "kwargs", "likelihood", *darts_calls.OF_ALL, *own}


def test_forecasts_in_a_list_and_in_lists_of_it_are_checked(tmp_path):
    darts = pytest.importorskip("darts", reason="darts is not installed")
    from benchmarks.fuzz.darts_calls import Asked

    asked = Asked(None, random.Random(0), None, tmp_path)
    good = darts.TimeSeries.from_values(np.ones((3, 2)))
    bad = darts.TimeSeries.from_values(np.full((3, 2), np.nan))
    for answer in (good, [good, good], [[good], [good, good]]):
        asked.check(answer, "forecasts")
    for answer in (bad, [good, bad], [[good], [good, bad]]):
        with pytest.raises(rule.WrongAnswer, match="forecasts is not finite"):
            asked.check(answer, "forecasts")


def test_the_warning_filters_of_darts_are_its_own():
    with warnings.catch_warnings():
        before = rule.surroundings()["the warning filters"]
        warnings.filterwarnings("ignore", ".*does not have many workers which may be.*")
        assert rule.surroundings()["the warning filters"] == before
        warnings.filterwarnings("ignore", "of ours")
        assert rule.surroundings()["the warning filters"] != before


def test_every_argument_of_compare_is_tried():
    parameters = set(inspect.signature(compare).parameters)
    assert parameters == {"y", "forecasters", *compare_calls.ARGUMENTS}


def test_every_option_of_the_commands_is_tried():
    parser = cli._parser()
    commands = parser._subparsers._group_actions[0].choices
    tried = {*terminal_calls.OPTIONS, *terminal_calls.OF_COMPARE, *terminal_calls.SWITCHES}
    tried |= {*terminal_calls.SWITCHES_OF_COMPARE, "--without-samovar", "--quiet", "--help"}
    for name, files in terminal_calls.FILES.items():
        options = [action.option_strings[-1:] for action in commands[name]._actions]
        assert {option for found in options for option in found} <= tried | set(files)


@pytest.mark.parametrize("kind", [kind for kind in command.SHARES if kind != "frames"])
def test_a_case_of_each_kind_keeps_the_rule_and_ends_alike_again(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if kind == "darts":
        pytest.importorskip("darts", reason="darts is not installed")
    with command.nothing_told():
        run = command.KINDS[kind](tmp_path)
        run(1)  # imports what is imported late, and with it filters of warnings
        first, again = run(1), run(1)
    assert first == again
    assert not first.startswith(rule.BROKEN)


def test_endings_become_a_table():
    records = Records(None)
    records.keep("frames", {"cases": 2000, "endings": {"finite": 1999, "broken": 1}, "commit": "x"})
    table = command.sections(records)["fuzz"]
    assert "| frames | 2,000  | finite 1,999, broken 1 | 1 " in table
