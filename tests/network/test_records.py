"""The record of each path, against plain loops and known errors."""

import math

import numpy as np
import pytest
import torch

from samovar_forecast.network import records as records_module
from samovar_forecast.network.records import (
    BANDS,
    STEPS_REMEMBERED,
    band_weights,
    pooled_records,
    records,
    targets,
)
from tests.builders.panels import HORIZON, PATCH, close, gappy_walks, opened, seasonal_walks


@pytest.mark.parametrize("told", [False, True])
def test_targets_are_what_came_after_each_position(told):
    y = gappy_walks(96 + HORIZON)
    past, future = y[:, :96], y[:, 96:]
    found = opened(past)
    actual = targets(found.window, found.statistics, PATCH, future if told else None)
    units = found.statistics.unit * found.window.scale[..., None]
    back = (actual * units + found.in_units("last")[..., None])[0]
    known = y[0] if told else torch.cat([past, torch.full_like(future, torch.nan)], 1)[0]
    for position in range(12):
        end = (position + 1) * PATCH
        close(back[:, position], known[end : end + HORIZON].T)


def test_the_record_is_that_of_earlier_forecasts_whose_errors_are_known_by_now():
    found = opened(gappy_walks(120))
    moves, actual = found.paths.moves[0].numpy(), found.actual[0].numpy()
    there = found.paths.is_there[0].numpy()
    rows = found.statistics.n_observed[0].numpy()
    n_series, n_positions, n_paths, _ = moves.shape
    for c, position, path in np.ndindex(n_series, n_positions, n_paths):
        expected = 1.0
        for band, ((_, furthest), steps) in enumerate(zip(BANDS, STEPS_REMEMBERED, strict=True)):
            total, count = 0.0, 0.0
            for origin in range(position + 1):
                distance = position - origin
                if distance * PATCH < furthest or not there[c, origin, path]:
                    continue
                for step in steps:
                    error = moves[c, origin, path, step - 1] - actual[c, origin, step - 1]
                    if np.isfinite(error):
                        weight = records_module.RECORD_DECAY**distance / len(steps)
                        weight *= min(1.0, rows[c, origin] / records_module.ROWS_IN_FULL) ** 2
                        total += weight * min(error**2, records_module.LARGEST_ERROR)
                        count += weight
            prior = records_module.PRIOR_ERRORS
            expected = (total + prior * expected) / (count + prior)
            wanted = 0.5 * math.log(max(expected, 1e-8))
            assert found.record[0, c, position, path, band].item() == pytest.approx(
                wanted, rel=1e-5, abs=1e-6
            )


@pytest.mark.parametrize("together", [3, 8, 11])
def test_the_records_of_a_long_window_are_summed_in_parts(together, monkeypatch):
    found = opened(gappy_walks(400))
    monkeypatch.setattr(records_module, "FADED_AT_ONCE", together)
    in_parts = records(found.paths, found.statistics, found.actual, PATCH)
    close(in_parts, found.record, 1e-6)


def test_a_record_begins_with_that_of_the_last_value_of_a_walk():
    found = opened(seasonal_walks())
    assert not found.record[:, :, 0].any()
    assert torch.equal(found.record, records(found.paths, found.statistics, found.actual, PATCH))


def test_between_the_bands_their_weights_draw_a_line_over_the_logarithm_of_the_step():
    weights = band_weights(HORIZON).double()
    centres = [0.5 * math.log(first * last) for first, last in BANDS]
    steps = np.log(np.arange(1, HORIZON + 1))
    wanted = np.stack([np.interp(steps, centres, row) for row in np.eye(len(BANDS))])
    np.testing.assert_allclose(weights, wanted, atol=1e-6)
    close(weights.sum(0), torch.ones(HORIZON))


def test_the_pooled_record_is_the_mean_over_the_series_that_have_the_path():
    y = seasonal_walks(96)
    y[..., 2] = 3.0  # a constant has no record
    found = opened(y)
    pooled = pooled_records(found.record, found.paths, found.statistics)
    assert pooled.shape == (1, 1, *found.record.shape[2:])
    is_there = found.paths.is_there[0, 0, 5:, :, None]
    close(pooled[0, 0, 5:], found.record[0, [0, 1, 3], 5:].mean(0) * is_there)
