"""Properties are tried on drawn examples: the same few in every run, as many others as asked for.

``SAMOVAR_EXAMPLES=500 pytest tests/network/test_properties.py`` draws so many anew.
"""

from __future__ import annotations

import os

import numpy as np
from hypothesis import Phase, settings
from hypothesis import strategies as st

_ASKED = os.environ.get("SAMOVAR_EXAMPLES")


def examples(usual: int) -> settings:
    """Return how often a property is tried: so often, unless the environment says otherwise."""
    if _ASKED is not None:
        return settings(max_examples=int(_ASKED), deadline=None, database=None)
    phases = (Phase.explicit, Phase.generate)  # to make an example small takes minutes
    return settings(
        max_examples=usual, derandomize=True, deadline=None, database=None, phases=phases
    )


@st.composite
def walks(draw: st.DrawFn, rows: tuple[int, int], series: tuple[int, int]) -> np.ndarray:
    """Draw random walks with a season of 12 rows, some of them with gaps; (rows, series)."""
    n_rows, n_series = draw(st.integers(*rows)), draw(st.integers(*series))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = rng.normal(size=(n_rows, n_series)).cumsum(axis=0)
    values += draw(st.sampled_from([0.0, 3.0])) * np.sin(np.arange(n_rows)[:, None] * np.pi / 6)
    values[rng.random(values.shape) < draw(st.sampled_from([0.0, 0.0, 0.1]))] = np.nan
    values[[0, -1]] = np.nan_to_num(values[[0, -1]])
    return values


def units(n_series: int) -> st.SearchStrategy[tuple[np.ndarray, np.ndarray]]:
    """Draw a scale for each series, and a level of up to 10,000 times the scale."""
    scale = st.floats(-3, 3).map(lambda power: 10.0**power)
    pairs = st.lists(st.tuples(scale, st.floats(-1e4, 1e4)), min_size=n_series, max_size=n_series)
    return pairs.map(np.array).map(lambda drawn: (drawn[:, 0], drawn[:, 0] * drawn[:, 1]))
