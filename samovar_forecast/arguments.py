"""What is asked for: numbers, switches and choices, checked by name.

Every check returns what was given as plain Python, and says by name what is wrong.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from samovar_forecast.exceptions import ConfigurationError


def is_whole(number: Any) -> TypeGuard[int]:
    """Whether something is an integer, of Python or numpy, and no bool."""
    return isinstance(number, (int, np.integer)) and not isinstance(number, bool)


def check_whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return an integer of a range.

    Raises
    ------
    ConfigurationError
    """
    if not is_whole(value) or value < least or (most is not None and value > most):
        above = "" if most is None else f" and at most {most}"
        raise ConfigurationError(
            name, found=repr(value), wanted=f"an integer of at least {least}{above}"
        )
    return int(value)


def check_switch(name: str, value: Any) -> bool:
    """Return a switch; a word for yes or no is none.

    Raises
    ------
    ConfigurationError
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ConfigurationError(name, found=repr(value), wanted="True or False")
    return bool(value)


def check_number(name: str, value: Any, *, above: float = -math.inf) -> float:
    """Return a finite number, larger than a bound.

    Raises
    ------
    ConfigurationError
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if not is_number or not above < value < math.inf:
        more = "" if above == -math.inf else f" above {above:g}"
        raise ConfigurationError(name, found=repr(value), wanted=f"a finite number{more}")
    return float(value)


def check_level(value: Any, name: str = "level") -> float:
    """Return a level of a band or a test.

    Raises
    ------
    ConfigurationError
    """
    is_number = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if not is_number or not 0 < value < 1:
        raise ConfigurationError(name, found=repr(value), wanted="a number between 0 and 1")
    return float(value)


def check_choice(problem: str, value: Any, choices: Sequence[Any]) -> None:
    """Refuse what is none of the choices; ``problem`` says what is wrong then.

    Raises
    ------
    ConfigurationError
    """
    is_word = value is None or isinstance(value, str)
    if not is_word or value not in choices:
        raise ConfigurationError(problem, found=repr(value), wanted=list(choices))


def check_weights(problem: str, value: Any, shape: tuple[int | None, ...]) -> np.ndarray:
    """Return an array of finite numbers of a shape, in which None stands for any length.

    ``problem`` says what is wrong otherwise.

    Raises
    ------
    ConfigurationError
    """
    try:
        found = np.asarray(value, dtype=float)
    except (TypeError, ValueError):
        found = np.array(math.nan)
    fits = found.ndim == len(shape) and all(
        wanted in (None, length) for wanted, length in zip(shape, found.shape, strict=True)
    )
    if not fits or not np.isfinite(found).all():
        text = "a number that is not finite" if fits else f"shape {found.shape}"
        asked = ", ".join("any" if length is None else str(length) for length in shape)
        raise ConfigurationError(
            problem,
            found=text if found.ndim else repr(value),
            wanted=f"finite numbers, ({asked}{',' * (len(shape) == 1)})",
        )
    return found


def generator_of(random_state: Any) -> np.random.Generator:
    """Return the generator of a random state: None, an integer of at least 0, or a generator.

    Raises
    ------
    ConfigurationError
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if random_state is not None:
        check_whole("random_state", random_state, 0)
    return np.random.default_rng(random_state)
