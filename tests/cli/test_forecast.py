"""What comes next, from the command line."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pandas as pd
import pytest

from samovar_forecast import __version__
from samovar_forecast.cli import EPILOG, _parser, compare, demo, main
from samovar_forecast.cli import forecast as command
from tests.builders.cli import run
from tests.builders.frames import months


def lose_cells(text):
    lines = text.splitlines()
    lines[5] = lines[5].rsplit(",", 1)[0] + ","
    del lines[9]
    return "\n".join(lines)


def test_the_forecast_is_printed_with_intervals_and_what_to_think_of_it(
    quick_forecast, capsys, csv
):
    code, out, err = run(capsys, "forecast", csv(months(), change=lose_cells), "--horizon", 3)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    for expected in (
        "2015-01-01 to 2019-12-01, 59 rows, 2 series",
        "1 missing time added as a row without values, 2015-09-01",
        "1 cell without a value, in 'b'",
        "forecast low 80% high 80%",
        "What comes: At 2020-03-01, 3 steps ahead: a ",
        "How it did: At the last 4 origins (2018-12-01 to 2019-09-01), fitted once before the "
        "first and the rivals anew, its mean absolute error was",
        "equal to the seasonal naive forecast's",
        "What it is made of: ",
        "What to distrust: ",
    ):
        assert expected in words
    assert max(map(len, out.splitlines())) <= 100


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".json", ".parquet"])
def test_the_table_holds_a_row_for_each_time_and_series(
    quick_forecast, capsys, csv, tmp_path, suffix
):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path, table = csv(months()), tmp_path / "made" / f"next{suffix}"
    arguments = ("--horizon", 2, "--interval", 95, "-o", table, "--origins", 0)
    code, out, _ = run(capsys, "forecast", path, *arguments)
    assert code == 0
    assert "it was not tried at earlier rows, since --origins 0 was given" in " ".join(out.split())
    if suffix == ".json":
        rows = pd.DataFrame(json.loads(table.read_text(encoding="utf-8")))
    else:
        rows = pd.read_parquet(table) if suffix == ".parquet" else pd.read_csv(table)
    assert list(rows) == ["time", "series", "forecast", "lower_95", "upper_95"]
    assert rows["time"].tolist() == ["2020-01-01"] * 2 + ["2020-02-01"] * 2
    assert rows["series"].tolist() == ["a", "b"] * 2
    history = pd.read_csv(path)
    assert rows["forecast"].iloc[0] == pytest.approx(history["a"].iloc[-12])
    assert (rows["lower_95"] < rows["forecast"]).all()
    assert (rows["forecast"] < rows["upper_95"]).all()


def test_figure_and_page_are_written(quick_forecast, capsys, csv, tmp_path):
    pytest.importorskip("jinja2", reason="the report is an extra")
    files = ("--plot", tmp_path / "next.svg", "--report", tmp_path / "next.html")
    code, _, err = run(capsys, "forecast", csv(months()), "--horizon", 4, *files)
    assert (code, err) == (0, "")
    assert "<svg" in (tmp_path / "next.svg").read_text(encoding="utf-8")
    page = (tmp_path / "next.html").read_text(encoding="utf-8")
    assert "<title>own.csv, 4 steps ahead</title>" in page
    assert "What to distrust" in page


def test_covariates_are_taken_from_a_file_that_reaches_ahead(
    quick_forecast, capsys, csv, tmp_path, monkeypatch
):
    path = csv(months())
    future = tmp_path / "future.csv"
    dates = months("%d.%m.%Y", n_time=63)
    future.write_text("t;x\n" + "".join(f"{t};{k},5\n" for k, t in enumerate(dates)))
    made = []
    monkeypatch.setattr(
        command,
        "_forecaster",
        lambda *told, make=command._forecaster: made.append(make(*told)) or made[-1],
    )
    arguments = ("forecast", path, "--horizon", 3, "--origins", 1, "--future", future)
    code, _, err = run(capsys, *arguments)
    assert (code, err) == (0, "")
    fitted, ahead = made[0].seen_covariates_[:2]
    np.testing.assert_array_equal(fitted["x"], np.arange(60) + 0.5)
    np.testing.assert_array_equal(ahead["x"], [60.5, 61.5, 62.5])
    future.write_text("t;x\n" + "".join(f"{t};{k},5\n" for k, t in enumerate(dates[:62])))
    code, _, err = run(capsys, *arguments)
    assert code == 2
    assert "covariate 'x' of" in " ".join(err.split())
    assert "no value at 2020-03-01" in " ".join(err.split())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("-o", "next.xlsx"), "names no format of a table; found: '.xlsx'"),
        (("--plot", "next.doc"), "names no format of a figure; found: '.doc'"),
        (("--horizon", 0), "--horizon; found: 0; wanted: an integer of at least 1"),
        (("--origins", -1), "--origins; found: -1; wanted: an integer of at least 0"),
        (("--season", 0), "--season; found: 0; wanted: an integer of at least 1"),
        (("--horizon", 1001), "too far beyond the 60 rows of * found: 1001; wanted: at most 1000"),
        (("-o", "own.csv"), "is read by this command, and would be lost"),
        (("--future", "x.csv", "-o", "x.csv"), "is read by this command, and would be lost"),
        (("-o", "n.csv", "--plot", "n.csv"), "is to be written twice by this command"),
    ],
)
def test_what_cannot_work_is_said_before_the_work_begins(
    capsys, csv, tmp_path, monkeypatch, arguments, expected
):
    path = csv(months())
    monkeypatch.chdir(tmp_path)
    before = path.read_bytes()
    code, out, err = run(capsys, "forecast", path, "--horizon", 3, *arguments)
    assert (code, out) == (2, "")
    message = " ".join(err.split())
    assert all(piece in message for piece in expected.split(" * "))
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("interval", ["0", "100", "wide"])
def test_an_interval_is_a_percentage(capsys, interval):
    with pytest.raises(SystemExit) as stop:
        main(["forecast", "x.csv", "--horizon", "3", "--interval", interval])
    assert stop.value.code == 2
    assert "give a percentage between 0 and 100" in capsys.readouterr().err


def test_an_interval_below_one_is_taken_for_a_share(capsys):
    with pytest.raises(SystemExit):
        main(["forecast", "x.csv", "--horizon", "3", "--interval", "0.9"])
    told = " ".join(capsys.readouterr().err.split())  # lines are as wide as the terminal
    assert "--interval; found: 0.9; wanted: percent, at least 1; did you mean 90?" in told


def test_what_is_left_out_of_the_terminal_is_said_and_where_it_is(
    quick_forecast, capsys, csv, tmp_path
):
    arguments = ("forecast", csv(months()), "--horizon", 41, "--origins", 0)
    _, out, _ = run(capsys, *arguments)
    assert "(the first 40 of 41 steps; all of it with -o FILE)" in out
    _, out, _ = run(capsys, *arguments, "-o", tmp_path / "n.csv")
    assert f"(the first 40 of 41 steps; all of it in {tmp_path / 'n.csv'})" in out


def test_every_example_of_the_help_is_understood():
    lines = [
        line.strip()
        for text in (EPILOG, command.EXAMPLES, compare.EXAMPLES, demo.EXAMPLES)
        for line in text.splitlines()
        if line.startswith("  samovar-forecast")
    ]
    assert len(lines) >= 12
    for line in lines:
        assert _parser().parse_args(shlex.split(line)[1:]).run


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_units_stand_at_the_axes(quick_forecast, capsys, csv, tmp_path):
    pytest.importorskip("jinja2", reason="the report is an extra")
    path, figure = csv(months()), tmp_path / "next.svg"
    arguments = ("forecast", path, "--horizon", 3, "--origins", 0, "--plot", figure)
    code, _, _ = run(capsys, *arguments, "--unit", "EUR", "--unit", "b=guests")
    assert code == 0
    drawn = figure.read_text(encoding="utf-8")
    assert ("EUR" in drawn, "guests" in drawn) == (True, True)
    code, out, err = run(capsys, *arguments, "--unit", "c=EUR")
    assert (code, out) == (2, "")
    assert "no such series to give a unit to; found: 'c'; wanted: some of ['a', 'b']" in " ".join(
        err.split()
    )


def test_a_season_that_is_told_is_that_of_the_forecast_and_of_its_record(
    capsys, csv, tmp_path, monkeypatch
):
    wave = 5 * np.sin(2 * np.pi * np.arange(52) / 12)
    noisy = wave + np.random.default_rng(0).normal(size=52)
    lines = "".join(f"{k},{noisy[k]}\n" for k in range(40))
    path, table = csv(range(60), change=lambda _: f"row,a\n{lines}"), tmp_path / "next.csv"
    made, make = [], command._forecaster
    monkeypatch.setattr(command, "_forecaster", lambda *told: made.append(make(*told)) or made[-1])
    errors = {}
    for season in (1, 12):
        arguments = ("--horizon", 12, "--origins", 1, "--season", season, "-o", table)
        code, out, _ = run(capsys, "forecast", path, *arguments)
        assert code == 0
        assert ("the seasonal naive forecast" in " ".join(out.split())) == (season == 12)
        errors[season] = np.abs(pd.read_csv(table)["forecast"] - wave[40:]).mean()
    assert errors[12] < 0.8 * errors[1]
    assert [forecaster.season for forecaster in made] == [1, 1, 12, 12]
