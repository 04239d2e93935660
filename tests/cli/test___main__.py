"""What the command returns to the shell."""

from __future__ import annotations

import pytest

import samovar_forecast.comparison as comparison_room
from samovar_forecast.cli import main
from tests.builders.cli import run


@pytest.mark.parametrize("arguments", [[], ["demo", "--refit", "soon"], ["predict"]])
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
