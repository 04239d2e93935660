"""The command line, as a stranger types it."""

from __future__ import annotations

import functools
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import samovar_forecast.comparison as comparison_room
from samovar_forecast import cli
from samovar_forecast.cli import main
from samovar_forecast.comparison import RepeatSeason, classical_forecasters
from samovar_forecast.frames.sources import read_csv
from tests.builders.frames import months, write_csv

FIGURES = ("forecasts_typical", "forecasts_last", "errors_by_step", "var_lag_matrices")


class QuickSAMoVAR(RepeatSeason):
    """Stands in for SAMoVAR where a test is about the command and not about the forecasts."""

    patch_length_ = 8
    context_length_ = 32


@pytest.fixture
def quick(monkeypatch):
    def forecasters(season=1, random_state=0, verbose=None):
        return {"SAMoVAR": QuickSAMoVAR(), **classical_forecasters(season)}

    monkeypatch.setattr(comparison_room, "standard_forecasters", forecasters)


@pytest.fixture
def csv(tmp_path):
    """Write a frame of two series under the given first column, and return the path."""
    return functools.partial(write_csv, tmp_path / "own.csv")


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return code, output.out, output.err


# ---------------------------------------------------------------- the demo


def test_the_demo_prints_data_models_leaderboard_verdict_and_figures(quick, capsys, tmp_path):
    folder = tmp_path / "made" / "here"
    code, out, err = run(capsys, "demo", "--output", folder, "--figures", "svg", "--quiet")
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    for expected in (
        "US quarterly macro series from statsmodels (macrodata), 1959Q2 to 2009Q3, 202 rows",
        "400 times the difference of logs",
        "8 steps ahead from 10 origins",
        "every 4 origins",
        "for the lowest MSE over all steps",
        "the VAR chose order 3",
    ):
        assert expected in words
    for metric in ("MSE", "MAE", "MASE"):
        assert f"- {metric} -" in out
    for name in FIGURES:
        assert (folder / f"{name}.svg").stat().st_size > 10_000
        assert f"{name}.svg" in out
    n_models = 1 + len(classical_forecasters())
    assert len(pd.read_csv(folder / "forecasts.csv")) == n_models * 10 * 8 * 6
    assert max(map(len, out.replace(str(folder), "").splitlines())) <= 100


def test_refit_concerns_samovar_alone_unless_it_is_for_all(quick, capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "_write_results", lambda *arguments: [])
    arguments = ("demo", "--output", tmp_path, "--origins", 3, "--refit", "first", "--quiet")
    _, out, _ = run(capsys, *arguments)
    assert out.count("first origin only") == 1
    _, out, _ = run(capsys, *arguments, "--refit-all")
    assert out.count("first origin only") == 1 + len(classical_forecasters())


@pytest.mark.slow
def test_the_demo_runs_from_a_fresh_process_with_samovar_itself(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "samovar_forecast.cli",
            "demo",
            "--origins",
            "2",
            "--refit",
            "first",
        ],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "SAMoVAR chose patches of 8 steps" in done.stdout
    assert "failed" not in done.stdout
    assert {path.stem for path in (tmp_path / "samovar_demo").glob("*.png")} == {
        *FIGURES,
        "samovar_lag_matrices",
    }


# ---------------------------------------------------------------- compare


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
        "the report, one page that opens without a network",
    ):
        assert expected in words
    text = page.read_text(encoding="utf-8")
    assert "<title>Forecasts of own.csv, 2 ahead</title>" in text
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


def test_compare_resumes_from_a_folder(quick, capsys, csv, tmp_path):
    arguments = ("--horizon", 2, "--origins", 4, "--resume", tmp_path / "done", "--quiet")
    path = csv(months())
    _, first, _ = run(capsys, "compare", path, *arguments)
    n_kept = len(list((tmp_path / "done").iterdir()))
    _, second, _ = run(capsys, "compare", path, *arguments)
    assert n_kept == (1 + len(classical_forecasters(12))) * 4
    assert len(list((tmp_path / "done").iterdir())) == n_kept
    assert second == first


def test_the_names_that_the_help_lists_are_those_that_are_known(capsys):
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert all(name in words for name in comparison_room.known_forecasters())


# ---------------------------------------------------------------- the user's own series


def test_a_csv_of_the_users_own_is_compared(quick, capsys, csv, tmp_path):
    arguments = ("--horizon", 4, "--origins", 3, "--output", tmp_path, "--figures", "svg")
    code, out, err = run(capsys, "demo", "--data", csv(months()), *arguments, "--quiet")
    assert (code, err) == (0, "")
    assert "2015-01-01 to 2019-12-01, 60 rows, 2 series" in " ".join(out.split())
    assert "Seasonal naive" in out
    assert (tmp_path / "forecasts_last.svg").is_file()


def test_the_time_may_stand_anywhere_and_other_columns_be_left_out(csv, capsys):
    def move(text):
        lines = (line.split(",") for line in text.splitlines())
        return "\n".join(f"{i},{a},{time},{b},x" for i, (time, a, b) in enumerate(lines))

    path = csv(months(), change=move)
    arguments = ("compare", path, "--horizon", 2, "--origins", 2, "--without-samovar", "--quiet")
    code, _, err = run(capsys, *arguments)
    assert (code, "--time 'time'" in err) == (2, True)
    code, _, err = run(capsys, *arguments, "--time", "time")
    assert (code, "--leave-out 'x'" in " ".join(err.split())) == (2, True)
    code, out, err = run(capsys, *arguments, "--time", "time", "--leave-out", "x")
    assert (code, err) == (0, "")
    assert "2015-01-01 to 2019-12-01, 60 rows, 3 series" in " ".join(out.split())
    data = read_csv(path, time="time", leave_out=["0", "x"])
    assert list(data.y) == ["a", "b"]
    code, _, err = run(capsys, *arguments, "--time", "Time")
    assert (code, "no such column; found: 'Time'" in " ".join(err.split())) == (2, True)


def empty_a_cell(text):
    lines = text.splitlines()
    lines[5] = lines[5].rsplit(",", 1)[0] + ","
    return "\n".join(lines)


def say_ill(text):
    lines = text.splitlines()
    lines[7] = f"{lines[7].split(',')[0]},ill,0.5"
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"first": months(), "change": empty_a_cell}, "column 'b' of * an empty cell in line 6"),
        ({"first": months(), "change": say_ill}, "column 'a' of * found: 'ill' in line 8"),
        (
            {"first": np.linspace(0, 1, 60)},
            "column 'time' of * holds no time; found: 0.0 * name another",
        ),
        ({"first": ["Monday"] * 60}, "does not parse as dates; found: 'Monday'"),
        ({"first": months()[::-1]}, "is not sorted"),
        ({"first": months().delete(3).append(months()[:1])}, "is not sorted"),
        ({"first": months(n_time=30).repeat(2)}, "repeats times * one below the other a column"),
        ({"first": months(n_time=61).delete(3)}, "has gaps; found: 1 missing times"),
        ({"first": months(), "n_time": 20}, "too few rows to forecast 8 steps from 10 origins"),
        ({"first": months(), "change": lambda text: ""}, "cannot be read as CSV"),
        (
            {"first": months(), "change": lambda text: text.replace(",", ";")},
            "does not hold time and series; found: 60 rows of 1 comma-separated columns",
        ),
    ],
)
def test_bad_files_get_one_paragraph_and_exit_code_2(
    quick, capsys, csv, tmp_path, arguments, expected
):
    path = csv(**arguments)
    code, _, err = run(capsys, "demo", "--data", path, "--output", tmp_path, "--quiet")
    assert code == 2
    assert "Traceback" not in err
    message = " ".join(err.split())
    assert message.startswith("samovar-forecast: ")
    position = 0
    for piece in expected.split(" * "):
        position = message.index(piece, position)
    assert "\n\n" not in err


def test_a_missing_file_is_named(capsys, tmp_path):
    code, _, err = run(capsys, "demo", "--data", tmp_path / "none.csv")
    assert code == 2
    assert "none.csv" in "".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [(("--horizon", 0), "horizon; found: 0"), (("--origins", -1), "n_origins; found: -1")],
)
def test_bad_numbers_get_exit_code_2(quick, capsys, tmp_path, arguments, expected):
    code, _, err = run(capsys, "demo", "--output", tmp_path, "--quiet", *arguments)
    assert code == 2
    assert expected in err


def test_a_folder_that_cannot_be_made_is_named_before_the_work_begins(quick, capsys, tmp_path):
    (tmp_path / "taken").write_text("a file", encoding="utf-8")
    code, out, err = run(capsys, "demo", "--output", tmp_path / "taken", "--quiet")
    assert code == 2
    assert "taken" in "".join(err.split())
    assert "MSE" not in out


@pytest.mark.parametrize("option", ["--report", "--forecasts"])
def test_a_folder_where_a_file_is_to_be_written_is_named_before_the_work_begins(
    quick, capsys, csv, tmp_path, option
):
    pytest.importorskip("jinja2", reason="the report is an extra")
    path = csv(months())
    code, out, err = run(capsys, "compare", path, "--horizon", 2, option, tmp_path, "--quiet")
    assert (code, out) == (2, "")
    assert "is a folder; wanted: the name of a file" in " ".join(err.split())


@pytest.mark.parametrize("arguments", [[], ["demo", "--refit", "soon"], ["forecast"]])
def test_what_the_command_does_not_know_gets_its_usage_and_exit_code_2(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert "usage: samovar-forecast" in capsys.readouterr().err


def test_an_interruption_is_no_traceback(quick, capsys, monkeypatch, tmp_path):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparison_room, "compare", interrupt)
    code, _, err = run(capsys, "demo", "--output", tmp_path)
    assert code == 130
    assert "interrupted" in err
