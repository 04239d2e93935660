"""What is asked of a reading is asked of its neighbours, and each gets its own answer."""

from __future__ import annotations

import numpy as np
import pytest

from samovar_forecast.dynamics import drawn_together
from samovar_forecast.dynamics.drawn_together import DrawnTogether
from tests.builders.members import average_var


@pytest.mark.parametrize("n_together", [1, 4, 64])
def test_readings_answer_together_as_they_do_alone(n_together, monkeypatch) -> None:
    monkeypatch.setattr(drawn_together, "WINDOWS_TOGETHER", n_together)
    average = average_var(n_rows=30)
    moved = [average.history.to_numpy() * (1 + size) for size in (0.0, 0.01, 0.02)]
    readings = [average.estimated_on(values) for values in moved]
    origins = list(average.origins[-2:])
    alone = [reading.persistence(origins).values for reading in readings]
    DrawnTogether(readings)
    for reading, wanted in zip(readings, alone, strict=True):
        assert np.allclose(reading.persistence(origins).values, wanted, rtol=1e-9)
        assert np.allclose(reading.persistence(origins).values, wanted, rtol=1e-9)  # asked again
