"""A comparison that several tests read and none changes."""

from __future__ import annotations

import pytest

from samovar_forecast.comparison import Comparison, classical_forecasters
from tests.builders.comparison import compare, simulated_var


@pytest.fixture(scope="session")
def comparison() -> Comparison:
    return compare(simulated_var(), 6, classical_forecasters(4), n_origins=8)
