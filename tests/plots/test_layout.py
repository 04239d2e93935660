"""What all figures share: styles, names, figures of the user's own, files."""

from __future__ import annotations

import dataclasses

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure

from samovar_forecast import plots
from samovar_forecast.comparison import Comparison
from samovar_forecast.exceptions import MissingPackageError
from samovar_forecast.plots import layout
from tests.builders.plots import plain_comparison


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    return plain_comparison()


def test_a_model_has_one_colour_in_all_figures(comparison):
    by_step = plots.plot_errors_by_step(comparison, models=["Naive"]).get_lines()[0]
    in_time = plots.plot_forecasts(comparison, models=["Naive"])[0]
    line = next(line for line in in_time.get_lines() if line.get_label() == "Naive")
    assert by_step.get_color() == line.get_color()


def test_a_figure_of_the_users_own_is_drawn_on(comparison):
    figure = Figure()
    upper, lower = figure.subfigures(2, 1)
    axes = plots.plot_forecasts(comparison, figure=upper)
    ax = plots.plot_errors_by_step(comparison, ax=lower.subplots())
    assert axes[0].get_figure(root=True) is figure
    assert ax.get_figure(root=True) is figure
    assert plt.get_fignums() == []


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
def test_a_saved_figure_is_written_and_closed(tmp_path, suffix):
    axes = plots.plot_lag_matrices(np.ones((1, 2, 2)), ["a", "b"])
    path = plots.save_figure(axes, tmp_path / f"lags.{suffix}")
    assert path.stat().st_size > 1000
    assert plt.get_fignums() == []


def test_a_figure_is_written_to_the_file_that_a_link_names(tmp_path):
    (tmp_path / "link.png").symlink_to(tmp_path / "there.png")
    axes = plots.plot_lag_matrices(np.ones((1, 2, 2)), ["a", "b"])
    plots.save_figure(axes, tmp_path / "link.png")
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "there.png").stat().st_size > 1000


def test_without_matplotlib_the_message_says_what_to_install(uninstall):
    uninstall("matplotlib")
    with pytest.raises(MissingPackageError, match=r"matplotlib.*\[plots\]"):
        plots.plot_lag_matrices(np.ones((1, 1, 1)), ["a"])


def test_any_number_of_models_can_be_told_apart(comparison):
    many = dataclasses.replace(comparison, models=[f"model {i}" for i in range(24)])
    styles = [layout.model_style(many, model) for model in many.models]
    assert len({(style["color"], style["marker"]) for style in styles}) == 24
    assert len({(style["color"], str(style["linestyle"])) for style in styles}) == 24


def test_a_long_name_loses_its_middle_and_a_short_one_nothing():
    long = "Industrial production, manufacturing, seasonally adjusted (2015 = 100)"
    shown = layout.shown_name(long)
    assert len(shown) == layout.LONGEST_NAME
    assert shown.startswith("Industrial prod")
    assert shown.endswith("5 = 100)")
    assert layout.shown_name("load") == "load"


@pytest.mark.parametrize("inches", [3.2, 7.4, 9.9])
def test_a_long_title_stays_inside_its_figure(inches):
    figure = plt.figure(figsize=(inches, 4), layout="constrained")
    layout.title_above(
        figure.add_subplot(),
        "Responses to an orthogonal shock of one standard deviation, direct forecasts, dynamics, "
        "90% bootstrap bands, of the last origin",
    )
    figure.canvas.draw()
    (text,) = figure.texts
    assert text.get_window_extent().x1 < figure.bbox.width
    plt.close(figure)
