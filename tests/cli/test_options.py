"""The user's own file, and options that cannot work."""

from __future__ import annotations

import argparse
import subprocess
import sys

import numpy as np
import pytest

from samovar_forecast.cli.options import add_reading, own_data
from samovar_forecast.exceptions import DataError
from samovar_forecast.frames.sources import read_file
from tests.builders.cli import run
from tests.builders.frames import months


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
    data = read_file(path, time="time", leave_out=["0", "x"])
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


def keep_the_first_column(text):
    return "\n".join(line.split(",")[0] for line in text.splitlines())


def forget_a_cell(text):
    lines = text.splitlines()
    lines[5] = lines[5].rsplit(",", 1)[0]
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
            {"first": months(), "change": lambda text: text.replace("time,a,b", "time,a,a")},
            "columns 2 and 3 of * have the same name; found: 'a' * --leave-out 'a'",
        ),
        (
            {"first": months(), "change": forget_a_cell},
            "cannot be read as CSV; found: 2 cells in line 6, 3 in most lines",
        ),
        (
            {"first": months(), "change": keep_the_first_column},
            "does not hold time and series; found: 60 rows of 1 columns",
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


def test_a_wrong_file_costs_no_import_of_torch_or_a_host(csv):
    path = csv(["Monday"] * 60)
    for command in (["demo", "--data", path], ["compare", path, "--horizon", "2"]):
        code = (
            "import sys; from samovar_forecast.cli import main; "
            f"code = main({[str(word) for word in command]}); "
            "heavy = {'torch', 'sktime', 'statsmodels', 'scipy', 'matplotlib'}; "
            "print(code, sorted(heavy & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=False,
            cwd=path.parent,
        )
        assert done.stdout == "2 []\n", done.stderr


def test_the_options_decide_what_the_file_leaves_open(csv, tmp_path):
    path = tmp_path / "own.txt"
    path.write_bytes("01/02/2016~1,234~\u00e9\n02/02/2016~2,345~1\n".encode("latin-1"))
    arguments = argparse.ArgumentParser()
    add_reading(arguments)
    words = ["--separator", "~", "--decimal", ",", "--header", "no", "--encoding", "latin-1"]
    given = arguments.parse_args(
        [*words, "--dates", "day-first", "--leave-out", "column_3", "--time", "column_1"]
    )
    given.data = path
    with pytest.raises(DataError, match="frequency"):  # read; too short to tell the frequency
        own_data(given)
    path.write_bytes(path.read_bytes() + b"03/02/2016~3,456~2\n")
    data = own_data(given)
    assert data.y["column_2"].tolist() == [1.234, 2.345, 3.456]
    assert str(data.y.index[0].date()) == "2016-02-01"
