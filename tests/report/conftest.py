"""A page that several tests read and none changes."""

from __future__ import annotations

import pytest

from samovar_forecast.comparison import Comparison, classical_forecasters, compare
from samovar_forecast.report import render_report
from tests.builders.comparison import Fails
from tests.builders.report import HOSTILE, Explains, Page, ahead, series


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    models = {HOSTILE: Explains(), "fails": Fails(), **classical_forecasters(4)}
    return compare(series(), 4, models, n_origins=20, stride=2, season=4, refit="first")


@pytest.fixture(scope="session")
def text(comparison) -> str:
    about = ["Made & <found>."]
    return render_report(
        comparison, title=f"Load {HOSTILE}", about=about, ahead=ahead(comparison.y)
    )


@pytest.fixture(scope="session")
def page(text) -> Page:
    return Page(text)
