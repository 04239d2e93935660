"""Every answer has a table, a short text and a figure; a figure is the function of the plots."""

from __future__ import annotations

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from samovar_forecast import plots, read_var
from samovar_forecast.dynamics.results import BandedResult, draw
from samovar_forecast.exceptions import NotFittedError
from tests.builders.dynamics import dynamic
from tests.builders.members import average_var, seasonal_frame
from tests.builders.plots import words


@pytest.fixture(scope="module")
def answers() -> dict[str, object]:
    average, y = average_var(n_rows=30), seasonal_frame(30)
    revised = y.copy()
    revised.iloc[25, 0] += 1.0
    older, origins = average.on(y.iloc[:29]), list(average.origins[-2:])
    drawn = {"bands": "bootstrap", "n_draws": 4, "level": 0.6}
    return {
        "irf": average.irf(2),
        "fevd": average.fevd(2),
        "connectedness": average.connectedness(2, origins=origins, **drawn),
        "news": older.news(revised),
        "paths": average.coefficient_paths([1, 2], origins, part="dynamics"),
        "sums": average.persistence(origins, **drawn),
        "attribution": average.attribution(**drawn),
        "local": average.at(),
        "influence": dynamic().tokens.influence_paths("a", top=3),
        "causality": average_var(n_rows=42).test_causality(*average.names[:2]),
    }


def test_every_answer_is_a_table_a_line_and_a_figure(answers) -> None:
    for name, answer in answers.items():
        assert len(answer.to_frame()) > 0, name
        assert len(repr(answer)) < 130, name
        assert r"\begin{tabular}" in answer.to_latex(), name
        assert answer.figure in plots.__all__, name
        axes = answer.plot()
        assert np.ravel(axes)[0].get_figure(root=False) is not None, name
        plt.close("all")


def test_a_plot_hands_its_arguments_to_the_function(answers, monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(plots, "plot_responses", lambda *given, **options: seen.append(options))
    answers["irf"].plot(units={"a": "percent"})
    draw("plot_responses", answers["irf"])
    assert seen == [{"units": {"a": "percent"}}, {}]


def test_bands_are_there_where_they_are_asked_for(answers) -> None:
    for name in ("connectedness", "sums", "attribution"):
        answer = answers[name]
        assert isinstance(answer, BandedResult)
        lower, upper = answer.band()
        assert lower.shape == answer.estimate.shape
        assert (lower <= upper).all()
        assert "4 bootstrap draws" in repr(answer)
    with pytest.raises(NotFittedError, match="bands="):
        answers["paths"].band()


def test_an_answer_says_of_which_part_it_is_and_of_which_kind_its_band(answers) -> None:
    for name in ("irf", "fevd", "connectedness"):
        answer = answers[name]
        assert answer.part == "dynamics", name
        assert "direct of the dynamics" in repr(answer), name
        assert "direct forecasts, dynamics" in words(answer.plot()), name
        plt.close("all")
    assert answers["connectedness"].bands == "bootstrap"
    assert "60% bootstrap band of the total" in words(answers["connectedness"].plot())
    assert "60% bootstrap bands" in words(answers["attribution"].plot())
    assert "60% bootstrap band" in words(answers["sums"].plot())
    plt.close("all")


def test_names_of_series_are_no_commands_of_latex() -> None:
    rows = np.random.default_rng(0).normal(size=(40, 2))
    y = pd.DataFrame(rows, columns=["growth (%)", "a_b & c"])
    var = read_var(y, horizon=2)
    for text in (
        var.irf(1).to_latex(),
        var.connectedness(1).to_latex(),
        var.persistence().to_latex(),
        var.summary().as_latex(),
    ):
        tables = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
        assert r"growth (\%)" in tables
        assert r"a\_b \& c" in tables
        assert re.search(r"(?<!\\)[%_$#]", tables) is None
    assert "growth (%)" in var.irf(1).to_latex(escape=False)
