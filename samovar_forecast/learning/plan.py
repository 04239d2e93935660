"""What a fit will be: from wishes and a panel to the lengths of patch and context."""

from __future__ import annotations

from typing import NamedTuple

from samovar_forecast.exceptions import DataError

# What `choose_lengths` wants, in patches and in time steps.
_PATCHES_WANTED = 8
_PATCHES_AT_MOST = 128
_CONTEXT_AT_LEAST = 32
_PATCH_WITHOUT_SEASON = 8
_LONGEST_SEASON_AS_PATCH = 48


class Lengths(NamedTuple):
    """Patch and context, in time steps."""

    patch_length: int
    context_length: int


def choose_lengths(
    n_observations: int,
    *,
    horizon: int | None = None,
    season: int = 1,
    patch_length: int | None = None,
    context_length: int | None = None,
) -> Lengths:
    """Choose how much one token covers and how far back the network looks.

    The patch is the horizon, so that one step of the network answers the whole question; it takes
    at most a sixth of the sample, and longer horizons are reached by rolling forward. Where no
    horizon is known, the patch is a season of at most 48 steps, or 8 steps.

    The context is two seasons, eight patches or 32 steps, whichever is longest. It takes at most a
    third of the sample, so that most of it is left for windows to learn from and to validate on,
    and at most 128 patches. It is a whole number of patches.

    Parameters
    ----------
    n_observations : int
        Rows of the (shortest) series.
    horizon : int, optional
        Farthest step that will be asked for.
    season : int, default=1
        Steps after which a pattern is likely to repeat.
    patch_length, context_length : int, optional
        What the user has decided already; kept as it is.

    Returns
    -------
    Lengths

    Raises
    ------
    DataError
        If the sample does not hold one window: a context and the patch after it.

    Examples
    --------
    >>> choose_lengths(2000, horizon=24, season=24)
    Lengths(patch_length=24, context_length=192)
    >>> choose_lengths(60, horizon=12, season=12)
    Lengths(patch_length=10, context_length=20)
    """
    if patch_length is None:
        wanted = horizon
        if wanted is None:
            is_patch = 1 < season <= _LONGEST_SEASON_AS_PATCH
            wanted = season if is_patch else _PATCH_WITHOUT_SEASON
        patch = max(1, min(wanted, n_observations // 6))
        if context_length is not None:
            patch = min(patch, context_length)
    else:
        patch = patch_length
    if context_length is None:
        wanted = max(2 * season, _PATCHES_WANTED * patch, _CONTEXT_AT_LEAST)
        possible = min(wanted, n_observations // 3, _PATCHES_AT_MOST * patch)
        context = max(patch, possible // patch * patch)
    else:
        context = context_length
    if n_observations < context + patch:
        raise DataError(
            "y is too short for one window",
            found=f"{n_observations} observations",
            wanted=f"at least {context + patch}: context_length={context} and patch_length={patch}",
            remedy="give more observations, or choose a shorter context_length or patch_length",
        )
    return Lengths(patch, context)
