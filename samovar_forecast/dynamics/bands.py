"""Bands around results: how far they move when the network is trained again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np

from samovar_forecast.arguments import check_level, generator_of
from samovar_forecast.dynamics.simulation import Step, one_step
from samovar_forecast.exceptions import ConfigurationError, DataError, NotFittedError


class _Result(Protocol):
    __dataclass_fields__: Any

    @property
    def values(self) -> np.ndarray: ...

    @property
    def estimate(self) -> np.ndarray: ...


_R = TypeVar("_R", bound=_Result)


def interval(draws: np.ndarray | None, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the pointwise quantile interval of draws along their first axis.

    Parameters
    ----------
    draws : ndarray of shape (n_draws, ...) or None
    level : float
        Probability that a further draw lies inside. Few draws cannot hold a high level: five hold
        two thirds at most, nineteen 90 %; see `fewest_draws`.

    Returns
    -------
    lower, upper : ndarray of the shape of a draw

    Raises
    ------
    NotFittedError
        If the result has no draws.
    ConfigurationError
        If the level is not between 0 and 1.
    """
    if draws is None:
        raise NotFittedError(
            "this result has no draws, and so no band",
            remedy='ask for it (bands="bootstrap"), or compute it by bands.seed_ensemble or '
            "bands.residual_block_bootstrap",
        )
    check_level(level)
    ends = [(1 - level) / 2, (1 + level) / 2]
    # (n + 1) p-th order statistics: a new draw lies between them with probability ``level``.
    lower, upper = np.quantile(draws, ends, axis=0, method="weibull")
    return lower, upper


def fewest_draws(level: float) -> int:
    """Return how many draws leave one beyond each end of a band of a level."""
    return int(np.ceil(2 / (1 - level) - 1 - 1e-9))


def seed_ensemble(compute: Callable[[Step], _R], steps: Sequence[Step]) -> _R:
    """Return the mean result of several trainings, with their results as draws.

    The networks saw the same data and differ by their random numbers alone: the band says how
    much of a result is luck of the training. It says nothing about another sample, so it is
    narrower than a confidence band.

    Parameters
    ----------
    compute : callable
        Step to result: `irf`, `girf`, `fevd`, ... with everything else fixed, the random state
        included.
    steps : sequence of callable
        A step per training, at least two.

    Returns
    -------
    result
        Of the kind that ``compute`` gives.
    """
    if len(steps) < 2:
        raise ConfigurationError("an ensemble needs at least two trainings", found=len(steps))
    results = [compute(step) for step in steps]
    return replace(  # type: ignore[type-var]
        results[0],
        values=np.mean([result.values for result in results], axis=0),
        draws=np.stack([result.estimate for result in results]),
    )


def residual_block_bootstrap(
    compute: Callable[[Step], _R],
    step: Step,
    series: np.ndarray,
    context_length: int,
    refit: Callable[[np.ndarray], Step],
    *,
    n_draws: int = 100,
    block_length: int | None = None,
    random_state: int | np.random.Generator | None = None,
) -> _R:
    """Return a result with draws from networks trained on resampled series.

    One-step residuals are resampled in blocks, each position of the block less its mean over all
    blocks, and the series is generated again by the fitted step (Brueggemann, Jentsch & Trenkler
    2016, J. Econometrics 191:69-85). Blocks keep what heteroskedasticity the residuals have. Every
    refit also has its own luck of the training, so the band holds both kinds of uncertainty.

    Parameters
    ----------
    compute : callable
        Step to result, with everything else fixed, the random state included.
    step : callable, (B, L, C) -> (B, C)
        The fitted one-step map.
    series : ndarray of shape (n_time, C)
        What it was fitted on, in the units of the data.
    context_length : int
        L, the window that the step reads.
    refit : callable
        A series of that shape to a step: the training again, on other data.
    n_draws : int, default=100
    block_length : int, optional
        By default the cube root of the number of residuals, rounded up.
    random_state : int or numpy Generator, optional

    Returns
    -------
    result
        Of the kind that ``compute`` gives: of the fitted step, with a draw per refit.

    Raises
    ------
    DataError
        If the series are shorter than a window and a block.
    """
    residuals = one_step_residuals(step, series, context_length)
    errors = draw_blocks(residuals, n_draws, block_length, generator_of(random_state))
    start = np.broadcast_to(series[:context_length], (n_draws, context_length, series.shape[1]))
    resampled = np.concatenate([start, np.empty_like(errors)], axis=1)
    for t in range(errors.shape[1]):
        mean = one_step(step, resampled[:, t : t + context_length])
        resampled[:, context_length + t] = mean + errors[:, t]
    draws = [compute(refit(history)).estimate for history in resampled]
    return replace(compute(step), draws=np.stack(draws))  # type: ignore[type-var]


def draw_blocks(
    residuals: np.ndarray,
    n_draws: int,
    block_length: int | None,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return residuals (n, C) drawn in blocks, each position less its mean; (n_draws, n, C).

    By default a block is as long as the cube root of their number, rounded up. A block in which a
    residual is missing is not drawn.
    """
    length = block_length or int(np.ceil(len(residuals) ** (1 / 3)))
    if len(residuals) < max(length, 2):
        raise DataError(
            "too few observations to resample their residuals",
            found=f"{len(residuals)} residuals",
            wanted=f"at least {max(length, 2)}",
        )
    blocks = np.lib.stride_tricks.sliding_window_view(residuals, length, axis=0)  # n C length
    blocks = blocks[np.isfinite(blocks).all(axis=(1, 2))]
    if len(blocks) == 0:
        raise DataError(
            "no residuals follow one another without a gap", wanted=f"{length} in a row"
        )
    blocks = (blocks - blocks.mean(axis=0)).transpose(0, 2, 1)  # n length C
    n_blocks = -(-len(residuals) // length)
    chosen = blocks[rng.integers(len(blocks), size=(n_draws, n_blocks))]
    return chosen.reshape(n_draws, -1, residuals.shape[1])[:, : len(residuals)]


def one_step_residuals(step: Step, series: np.ndarray, context_length: int) -> np.ndarray:
    """Return what the step did not foresee, shape (n_time - context_length, C)."""
    values = np.asarray(series, dtype=float)
    if len(values) <= context_length:
        raise DataError(
            "the series are shorter than one window and the step after it",
            found=len(values),
            wanted=f"more than {context_length}",
        )
    windows = np.lib.stride_tricks.sliding_window_view(values, context_length, axis=0)
    return values[context_length:] - one_step(step, windows[:-1].transpose(0, 2, 1))
