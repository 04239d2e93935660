"""What is mistyped is told with what was meant, under the usage of the command."""

from __future__ import annotations

import pytest

from samovar_forecast.cli import main

FORECAST = "usage: samovar-forecast forecast FILE --horizon H [options]"


@pytest.mark.parametrize(
    ("words", "usage", "expected"),
    [
        (
            "forecast x.csv --horizn 8",
            FORECAST,
            "unrecognized argument --horizn; did you mean --horizon?",
        ),
        (
            "forecast x.csv --horizon 8 --plto=n.png",
            FORECAST,
            "unrecognized argument --plto; did you mean --plot?",
        ),
        ("forecast x.csv y.csv --horizon 8", FORECAST, "unrecognized argument y.csv"),
        ("forcast x.csv", "usage: samovar-forecast ", "found: forcast; wanted: one of"),
        ("forcast x.csv", "usage: samovar-forecast ", "did you mean forecast?"),
        ("forecast x.csv", FORECAST, "--horizon is missing: how many steps ahead to forecast"),
        (
            "compare x.csv",
            "usage: samovar-forecast compare FILE --horizon H [options]",
            "for example --horizon 12",
        ),
        (
            "forecast x.csv --horizon 8.5",
            FORECAST,
            "--horizon; found: 8.5; wanted: an integer of at least 1",
        ),
        (
            "demo --horizon few",
            "usage: samovar-forecast demo [options]",
            "--horizon; found: few; wanted: an integer of at least 1",
        ),
        ("forecast x.csv --horizon 8 --unit", FORECAST, "--unit; expected one argument"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_under_the_usage_of_the_command(
    capsys, words, usage, expected
):
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith(usage)
    assert expected in " ".join(error.split())
