"""A comparison on the user's own series, from the command line."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest

import samovar_forecast.comparison as comparison_room
from samovar_forecast.cli import main
from samovar_forecast.comparison import RepeatSeason, classical_forecasters
from tests.builders.cli import run
from tests.builders.frames import months


def test_compare_prints_leaderboard_tests_and_warnings_and_writes_a_page(
    quick, capsys, csv, tmp_path
):
    pytest.importorskip("jinja2", reason="the report is an extra")
    page, table = tmp_path / "new" / "page.html", tmp_path / "forecasts.csv"
    arguments = ("--horizon", 2, "--origins", 8, "--report", page, "--forecasts", table, "--quiet")
    code, out, err = run(capsys, "compare", csv(months(n_time=90), n_time=90), *arguments)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    for expected in (
        "2 steps ahead from 8 origins",
        "Ridge VAR",
        "Seasonal naive",
        "Tested against the best classical model",
        "Few origins: 8 origins: only large differences",
        "What comes next, by ",
        "the report, one page that opens without a network",
    ):
        assert expected in words
    text = page.read_text(encoding="utf-8")
    assert "<title>Forecasts of own.csv, 2 ahead</title>" in text
    assert text.index(">What comes next</h2>") < text.index(">Before you believe it</h2>")
    assert "2022-08" in text[text.index(">What comes next</h2>") :]
    assert "SAMoVAR" in text
    assert len(pd.read_csv(table)) == (1 + len(classical_forecasters(12))) * 8 * 2 * 2


def test_compare_takes_other_models_by_name_and_can_leave_samovar_out(capsys, csv):
    arguments = ("--horizon", 2, "--origins", 3, "--also", "AutoETS", "--without-samovar")
    code, out, _ = run(capsys, "compare", csv(range(1960, 2020)), *arguments, "--quiet")
    assert code == 0
    assert "AutoETS" in out
    assert "SAMoVAR" not in out
    code, _, err = run(capsys, "compare", csv(months()), "--horizon", 2, "--also", "Oracle")
    assert code == 2
    assert "found: 'Oracle'" in err


class Oracle(RepeatSeason):
    """Knows the rows that come, and says that it has intervals until it is fitted."""

    rows = np.empty((0, 2))

    def _learn(self, values):
        self.set_tags(**{"capability:pred_int": False})

    def _extrapolate(self, values, steps):
        return self.rows[len(values) : len(values) + steps]


def test_what_comes_next_is_told_by_the_best_model_that_had_intervals(capsys, csv, monkeypatch):
    models = {"Oracle": Oracle()}
    if find_spec("darts") is not None:
        from darts.models import NaiveDrift

        models["Drift"] = NaiveDrift()  # as some of the catalogue are: no forecaster of sktime
    monkeypatch.setattr(comparison_room, "from_catalogue", lambda names, task: models)
    path = csv(months())
    monkeypatch.setattr(Oracle, "rows", pd.read_csv(path)[["a", "b"]].to_numpy())
    arguments = ("--horizon", 2, "--origins", 3, "--without-samovar", "--quiet")
    code, out, err = run(capsys, "compare", path, *arguments)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "Lowest MSE over all steps: Oracle (0.000). Behind it: " in words
    second = words.partition("Behind it: ")[2].partition(" (+")[0]
    assert f"What comes next, by {second}: At 2020-02-01, 2 steps" in words


class FailsOnAllRows(Oracle):
    """Knows the rows that come, and fails where none comes."""

    def _learn(self, values):
        if len(values) == len(self.rows):
            raise ZeroDivisionError("nothing comes")


def test_a_leader_that_fails_on_all_rows_costs_no_report(capsys, csv, monkeypatch, tmp_path):
    table = tmp_path / "forecasts.csv"
    monkeypatch.setattr(
        comparison_room, "from_catalogue", lambda names, task: {"Oracle": FailsOnAllRows()}
    )
    path = csv(months())
    monkeypatch.setattr(Oracle, "rows", pd.read_csv(path)[["a", "b"]].to_numpy())
    arguments = ("--horizon", 2, "--origins", 3, "--without-samovar", "--quiet")
    code, out, err = run(capsys, "compare", path, *arguments, "--forecasts", table)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    assert "What comes next is not told by Oracle, which failed: nothing comes" in words
    assert "What comes next, by " in words
    assert table.exists()


def test_compare_resumes_from_a_folder(quick, capsys, csv, tmp_path):
    arguments = ("--horizon", 2, "--origins", 4, "--resume", tmp_path / "done", "--quiet")
    path = csv(months())
    _, first, _ = run(capsys, "compare", path, *arguments)
    n_kept = len(list((tmp_path / "done").iterdir()))
    _, second, _ = run(capsys, "compare", path, *arguments)
    assert n_kept == (1 + len(classical_forecasters(12))) * 4
    assert len(list((tmp_path / "done").iterdir())) == n_kept
    assert second == first


def test_the_number_of_processes_reaches_the_comparison(capsys, csv, monkeypatch):
    asked, path = [], csv(months())
    whole = comparison_room.compare

    def recorded(*data, n_jobs, **options):
        asked.append(n_jobs)
        return whole(*data, **options)

    monkeypatch.setattr(comparison_room, "compare", recorded)
    arguments = ("--horizon", 2, "--origins", 1, "--without-samovar", "--quiet")
    assert run(capsys, "compare", path, *arguments)[0] == 0
    assert run(capsys, "compare", path, *arguments, "--jobs", 2)[0] == 0
    assert asked == [1, 2]
    with pytest.raises(SystemExit):
        run(capsys, "compare", path, *arguments, "--jobs", 0)
    assert "give a number of processes, or -1 for all" in capsys.readouterr().err


def test_the_names_that_the_help_lists_are_those_that_are_known(capsys):
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert all(name in words for name in comparison_room.known_forecasters())


@pytest.mark.parametrize("option", ["--report", "--forecasts"])
def test_a_file_to_write_never_takes_the_place_of_the_file_that_is_read(
    capsys, csv, tmp_path, option
):
    path = csv(months())
    before = path.read_bytes()
    link = tmp_path / "link.csv"
    link.hardlink_to(path)
    for output in (path, link, tmp_path / "." / "own.csv"):
        code, out, err = run(capsys, "compare", path, "--horizon", 2, option, output)
        assert (code, out) == (2, "")
        assert "is read by this command, and would be lost" in " ".join(err.split())
    code, _, err = run(
        capsys,
        "compare",
        path,
        "--horizon",
        2,
        *("--report", tmp_path / "x.csv"),
        *("--forecasts", tmp_path / "x.csv"),
    )
    assert (code, "written twice" in err) == (2, True)
    assert path.read_bytes() == before
