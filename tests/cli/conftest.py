"""Fixtures of the command line: quick models, and a file of the user."""

from __future__ import annotations

import functools

import pytest

import samovar_forecast.comparison as comparison_room
from samovar_forecast.cli import forecast
from samovar_forecast.comparison import classical_forecasters
from tests.builders.cli import QuickForecaster, QuickSAMoVAR
from tests.builders.frames import write_csv


@pytest.fixture
def quick(monkeypatch):
    def forecasters(season=1, random_state=0, verbose=None):
        return {"SAMoVAR": QuickSAMoVAR(), **classical_forecasters(season)}

    monkeypatch.setattr(comparison_room, "standard_forecasters", forecasters)


@pytest.fixture
def quick_forecast(monkeypatch):
    monkeypatch.setattr(forecast, "_forecaster", lambda seed, season: QuickForecaster(12))


@pytest.fixture
def csv(tmp_path):
    """Write a frame of two series under the given first column, and return the path."""
    return functools.partial(write_csv, tmp_path / "own.csv")
