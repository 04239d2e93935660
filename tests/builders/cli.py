"""The command line in the process of the test."""

from __future__ import annotations

from samovar_forecast.cli import main
from samovar_forecast.comparison import RepeatSeason


class QuickSAMoVAR(RepeatSeason):
    """Stands in for SAMoVAR where a test is about the command and not about the forecasts."""

    patch_length_ = 8
    context_length_ = 32


def run(capsys, *arguments) -> tuple[int, str, str]:
    """Run the command, and return its exit code, what it printed and what it complained of."""
    code = main([str(argument) for argument in arguments])
    output = capsys.readouterr()
    return code, output.out, output.err
