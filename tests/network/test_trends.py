"""Levels and slopes at every position, against plain loops."""

import numpy as np
import torch

from samovar_forecast.network.running import open_window
from samovar_forecast.network.trends import (
    LOOKED_BACK,
    PRIOR_OF_LINE,
    local_line,
    slope_of_halves,
    smoothed_levels,
)
from tests.builders.panels import PATCH, close, gappy_walks


def parts(y):
    window = open_window(y, PATCH, torch.float64)
    ends = torch.arange(PATCH - 1, window.values.shape[-1], PATCH)
    mean = torch.full((*window.values.shape[:2], len(ends)), 7.0, dtype=torch.float64)
    return window, ends, mean


def test_the_slope_is_that_between_the_means_of_the_halves():
    y = gappy_walks(96)
    window, ends, _ = parts(y)
    found = slope_of_halves(window.values, window.start, ends)[0, ..., 0]
    for c, position in np.ndindex(4, len(ends)):
        x = window.values[0, c, int(window.start[0, c]) : int(ends[position]) + 1].numpy()
        half = len(x) // 2
        wanted = 0.0
        if len(x) >= 4:
            wanted = (x[-half:].mean() - x[:half].mean()) / (len(x) - half)
        np.testing.assert_allclose(found[c, position], wanted, atol=1e-10)


def test_levels_are_means_whose_weights_fade_and_skip_what_does_not_count():
    window, ends, mean = parts(gappy_walks(96))
    rates = (0.5, 0.1)
    found = smoothed_levels(window.values, window.observed, mean, rates, PATCH)[0]
    for c, position, which in np.ndindex(4, len(ends), 2):
        until = slice(max(0, int(ends[position]) + 1 - LOOKED_BACK), int(ends[position]) + 1)
        x, counts = window.values[0, c, until].numpy(), window.observed[0, c, until].numpy()
        weight = counts * (1 - rates[which]) ** np.arange(len(x))[::-1]
        wanted = weight @ x / weight.sum() if weight.sum() > 1e-6 else 7.0
        np.testing.assert_allclose(found[c, position, which], wanted, rtol=1e-9)


def test_a_local_line_is_discounted_least_squares_with_a_slope_drawn_to_nothing():
    window, ends, mean = parts(gappy_walks(96))
    rate = 0.2
    level, slope = (
        part[0, ..., 0] for part in local_line(window.values, window.observed, mean, rate, PATCH)
    )
    for c, position in np.ndindex(4, len(ends)):
        until = slice(max(0, int(ends[position]) + 1 - LOOKED_BACK), int(ends[position]) + 1)
        x, counts = window.values[0, c, until].numpy(), window.observed[0, c, until].numpy()
        time = np.arange(len(x)) - len(x) + 1.0
        weight = counts * (1 - rate) ** -time
        if weight.sum() <= 1e-6:
            close(level[c, position], torch.tensor(7.0))
            assert slope[c, position] == 0
            continue
        centre, middle = weight @ time / weight.sum(), weight @ x / weight.sum()
        rise = (weight * (time - centre)) @ x
        rise /= weight @ (time - centre) ** 2 + PRIOR_OF_LINE / rate**2
        np.testing.assert_allclose(slope[c, position], rise, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(level[c, position], middle - rise * centre, rtol=1e-7, atol=1e-9)
