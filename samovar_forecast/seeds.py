"""Seeds: whatever a user gives as a random state, as one integer."""

from __future__ import annotations

import random

import numpy as np

from samovar_forecast.exceptions import ConfigurationError


def resolve_seed(random_state: int | np.random.RandomState | np.random.Generator | None) -> int:
    """Return a seed in [0, 2^31): the integer itself, a draw from a generator, or a fresh one."""
    if random_state is None:
        return random.SystemRandom().randrange(2**31)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if isinstance(random_state, (int, np.integer)) and not isinstance(random_state, bool):
        return int(random_state) % 2**31
    raise ConfigurationError(
        "random_state cannot be used as a seed",
        found=repr(random_state),
        wanted="None, an integer or a numpy random generator",
    )
