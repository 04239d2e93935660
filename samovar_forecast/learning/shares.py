"""Shares of the members in the average, and its spread: from forecasts at earlier origins.

The linear forecast is held against rows that were hidden from it, and the pretrained network has
learned from no row of the sample: their errors from the same earlier origins are honest. They
set the shares, and they calibrate the distribution around the average.

Letters: I instances, B origins, s steps ahead, C series, K numbers per step and series, M members.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from samovar_forecast.learning.members import LinearMember, Member, TrainedMember
from samovar_forecast.learning.pretrained_member import AdaptedMember, PretrainedMember
from samovar_forecast.learning.scaled_rows import ScaledRows
from samovar_forecast.learning.uncertainty import Calibration, scores_of
from samovar_forecast.linear.held_out import Trial
from samovar_forecast.linear.weights import stacked_weights
from samovar_forecast.network.heads import Head

PRIOR_SHARES = {"linear": 0.65, "pretrained": 0.35, "adapted": 0.35, "trained": 0.05}
"""Shares before any evidence, up to scale."""

HALF_LIFE = 1 / 16
"""An error counts half as much as an error that is younger by this share of the origins.

Which member errs less changes with the times. On the development sets, errors of all ages alike
told nothing of the next errors, and the newest told a little (discounting as in Stock and Watson
2004, Combination forecasts of output growth in a seven-country data set)."""

SERIES_AT_ONCE = 1000
"""So many series of a panel are weighed together."""

ROWS_READ, PATCH = 40_000, 8
"""The pretrained network is asked from every row of the hidden part where that reads no more than
so many numbers, else from fewer, at worst every eighth."""

NUMBERS_KEPT = 20_000_000
"""Beyond so many forecast numbers only some of the origins are used, the same distance apart."""

OWN_ORIGINS = 50
"""From so many origins on an instance without a foretold spread is calibrated by its own errors."""

ORIGINS_OF_A_CALIBRATION = 500

REACHED_AT_LEAST, FEWEST_ORIGINS = 10, 8
"""A step is calibrated by itself if this many origins reach it, or all that there are; with fewer
than eight the spread that a network foretells stays as it is."""

SPREAD_STRENGTH = 30.0
"""What the spread that the network foretells counts, in forecasts that do not overlap.

On the development sets intervals then hold as often as they say. Of the errors at earlier origins
the width alone is taken: their shape, step by step and series by series, is mostly noise, and
cost 8 % of the interval score at 90 %.
"""

LARGEST_SCORE = 4.0
"""A miss by more standard deviations than that says no more of the width."""

SHAPE_STRENGTH, LEAST_STRENGTH = 100.0, 3.0
"""What the normal shape counts beside the shape of the errors where no spread is foretold, in
forecasts that do not overlap; and what the errors' own variance counts, so that there is a t."""

SCORES_WITHOUT_EVIDENCE = 99


@dataclass(frozen=True)
class Average:
    """A weighted average of members, with the distribution around it.

    Parameters
    ----------
    members : tuple of Member
    shares : dict of str to array of shape (I, s, C)
        Share of each member by its name; they sum to 1 over the members.
    calibrations : tuple of Calibration or None
        Scores of the average at earlier origins, for each instance.
    """

    members: tuple[Member, ...]
    shares: dict[str, np.ndarray]
    calibrations: tuple[Calibration | None, ...] = ()

    @property
    def spread(self) -> Member:
        """The member from whose numbers the spread around the average is taken."""
        by_name = {member.name: member for member in self.members}
        found = (by_name.get(name) for name in (PretrainedMember.name, TrainedMember.name))
        with_levels = [one for one in found if one is not None and one.head.n_params > 1]
        return with_levels[0] if with_levels else self.members[0]

    @property
    def head(self) -> Head:
        """What the K numbers of the average are."""
        return self.spread.head

    def forecast(
        self, instances: Sequence[ScaledRows], origins: Sequence[np.ndarray], n_steps: int
    ) -> list[np.ndarray]:
        """Forecast as :class:`~samovar_forecast.learning.members.Member` says, all of them."""
        answers = {
            member.name: member.forecast(instances, origins, n_steps) for member in self.members
        }
        return self.combined(answers, n_steps)

    def combined(
        self, answers: Mapping[str, Sequence[np.ndarray]], n_steps: int
    ) -> list[np.ndarray]:
        """Return the average of the members' numbers; the spread is moved to its center."""
        spread, found = self.spread, []
        n_own = next(iter(self.shares.values())).shape[1]
        step = np.minimum(np.arange(n_steps), n_own - 1)
        for number, around in enumerate(answers[spread.name]):
            point = np.zeros(around.shape[:-1])
            for member in self.members:
                center = answers[member.name][number][..., member.head.center]
                share = self.shares[member.name][number][step]
                point += np.where(share > 0, share * center, 0.0)
            moved = point - around[..., spread.head.center]
            found.append(around + moved[..., None])
        return found


def weigh_members(
    members: Sequence[Member],
    instances: Sequence[ScaledRows],
    trials: Sequence[Trial | None],
    n_steps: int,
) -> Average:
    """Return the average with the shares that earlier origins support, calibrated there.

    Parameters
    ----------
    members : sequence of Member
    instances : sequence of ScaledRows
        All rows of each instance.
    trials : sequence of Trial or None
        Of the linear member, for each instance; empty without that member.
    n_steps : int
        Steps that get shares of their own; those beyond have the shares of the last.

    Returns
    -------
    Average
    """
    origins, errors = _earlier_origins(members, instances, trials, n_steps)
    answers: dict[str, list[np.ndarray]] = {}
    actual = [_actual(rows, own, n_steps) for rows, own in zip(instances, origins, strict=True)]
    for member in members:
        if isinstance(member, LinearMember):
            known = zip(errors, actual, strict=True)
            answers[member.name] = [(error + came)[..., None] for error, came in known]
        else:
            answers[member.name] = _asked(member, instances, origins, n_steps)
    misses = {
        member.name: [
            center[..., member.head.center] - came
            for center, came in zip(answers[member.name], actual, strict=True)
        ]
        for member in members
    }
    average = Average(tuple(members), estimate_shares(misses, n_steps))
    combined = average.combined(answers, n_steps)
    scores = [
        _scores(came, numbers, average.head) for came, numbers in zip(actual, combined, strict=True)
    ]
    calibrations = calibrate(scores, average.head)
    return Average(average.members, average.shares, calibrations)


def _scores(came: np.ndarray, numbers: np.ndarray, head: Head) -> np.ndarray:
    """Return the scores of what came; NaN where a series moves that no spread was foretold for.

    A series that has not moved yet has no unit: the score of its first move would be its size in
    units of nothing, and the spread of all instances would follow.
    """
    scores = scores_of(came, numbers, head)
    if head.n_params > 1:
        is_still = numbers.max(axis=-1) == numbers.min(axis=-1)
        scores[is_still & (came != numbers[..., head.center])] = np.nan
    return scores


def estimate_shares(
    errors: Mapping[str, Sequence[np.ndarray]], n_steps: int
) -> dict[str, np.ndarray]:
    """Return the shares of the members, by name, (I, s, C), from their errors at earlier origins.

    Band by band of the horizon, the shares make the squared error of the average small, the newest
    errors counting most (:data:`HALF_LIFE`). They are drawn to :data:`PRIOR_SHARES`, the more so
    the less the origins say; those of a series are drawn to those of all series: see
    :func:`~samovar_forecast.linear.weights.stacked_weights`.

    Parameters
    ----------
    errors : mapping of str to sequence of I arrays of shape (B, s, C)
        The same origins for all members, in order of time; NaN where the actual value or a
        forecast is not known.
    n_steps : int
    """
    names = list(errors)
    instances = errors[names[0]]
    n_instances, n_series = len(instances), instances[0].shape[2]
    if len(names) == 1:
        return {names[0]: np.ones((n_instances, n_steps, n_series))}
    prior = np.array([PRIOR_SHARES[name] for name in names])
    prior = prior / prior.sum()
    n_together = max(1, SERIES_AT_ONCE // n_series)
    parts = []
    for some in np.array_split(np.arange(n_instances), -(-n_instances // n_together)):
        n_origins = [len(instances[number]) for number in some]
        discounts = [np.sqrt(_weights_of_age(n)) for n in n_origins]
        table = np.full((len(names), max(n_origins), n_steps, len(some), n_series), np.nan)
        for member, name in enumerate(names):
            for place, number in enumerate(some):
                own = errors[name][number]
                table[member, : len(own), :, place] = discounts[place][:, None, None] * own
        weights = stacked_weights(
            table.reshape(*table.shape[:3], len(some) * n_series),
            max(1, int(np.median(n_origins))),
            prior,
            is_joint=n_instances == 1,
        )
        parts.append(weights.reshape(len(names), n_steps, len(some), n_series))
    shares = np.concatenate(parts, axis=2).swapaxes(1, 2)  # M I s C
    return dict(zip(names, shares, strict=True))


def _weights_of_age(n_origins: int) -> np.ndarray:
    """Return what the squared error at each origin counts, (B,); 1 at the last."""
    age = np.arange(n_origins)[::-1]
    return 0.5 ** (age / (HALF_LIFE * max(1, n_origins)))


def calibrate(scores: Sequence[np.ndarray], head: Head) -> tuple[Calibration | None, ...]:
    """Return the calibration of each instance from the scores of the average, (B, s, C) each.

    The scores are centered, so that the point forecast is the median. Where the head has a spread
    of its own, they correct its width alone: the width of an instance is drawn to that of all
    instances. Else they are drawn to a normal shape. An instance with few origins of its own is
    calibrated by those of all; None where there is neither score nor spread.
    """
    has_spread = head.n_params > 1
    n_own, fewest, largest = FEWEST_ORIGINS, FEWEST_ORIGINS, LARGEST_SCORE
    if not has_spread:
        n_own, fewest, largest = OWN_ORIGINS, 2, np.inf
    together, prior = None, np.ones((1, 1))
    if len(scores) > 1:
        n_typical = max(1, int(np.median([len(own) for own in scores])))
        together = _errors_of(
            np.concatenate(list(scores)), n_typical * len(scores), fewest, largest
        )
    for_all = _calibration(together, prior, has_spread, scores[0].shape[2])
    if together is not None:
        n = together.separate
        prior = (n * together.square + SPREAD_STRENGTH) / (n + SPREAD_STRENGTH)
    found: list[Calibration | None] = []
    for own in scores:
        alone = None
        if len(own) >= n_own or len(scores) == 1:
            alone = _errors_of(own, len(own), fewest, largest)
        if alone is None:
            found.append(for_all)
        else:
            found.append(_calibration(alone, prior, has_spread, own.shape[2]))
    return tuple(found)


class _Errors(NamedTuple):
    """Scores at earlier origins as far as enough of them reach, around their medians."""

    centered: np.ndarray
    """Of shape (B, s, C)."""
    square: np.ndarray
    """Mean square of the scores, (s, C), none of which counts as more than a largest."""
    separate: np.ndarray
    """Forecasts that do not overlap, (s, C), in proportion to the known scores of a series; 0 of a
    series without enough of them."""


def _errors_of(scores: np.ndarray, n_origins: int, fewest: int, largest: float) -> _Errors | None:
    """Return the errors of scores (B, s, C); None if no series has enough of them.

    Beyond the steps that enough of its scores reach, a series has those of its last such step,
    widened as those of a random walk. A series without such a step has the mean square of the
    others, which counts nothing.
    """
    chosen = np.flatnonzero(np.isfinite(scores).any(axis=(1, 2)))
    if len(chosen) > ORIGINS_OF_A_CALIBRATION:  # no fixed distance: a series may have one too
        drawn = np.random.default_rng(0).permutation(chosen)
        chosen = np.sort(drawn[:ORIGINS_OF_A_CALIBRATION])
    scores = scores[chosen]
    n_reached = np.isfinite(scores).sum(axis=0)  # s C
    if not n_reached.size or not n_reached.any():
        return None
    enough = np.clip(n_reached[0], fewest, REACHED_AT_LEAST)
    reach = (n_reached >= enough).cumprod(axis=0).sum(axis=0)  # C
    n_steps, is_silent = int(reach.max()), reach == 0
    if n_steps == 0:
        return None
    step = np.arange(n_steps)[:, None]
    nearest = np.minimum(step, np.maximum(reach - 1, 0))  # s C
    scores = np.take_along_axis(scores, nearest[None], axis=1)
    scores = scores * np.sqrt((step + 1) / (nearest + 1))
    any_order = np.random.default_rng(0).normal(size=(*scores.shape[:2], is_silent.sum()))
    scores[..., is_silent] = any_order
    centered = scores - np.nanmedian(scores, axis=0)
    square = np.nanmean(np.square(np.clip(centered, -largest, largest)), axis=0)
    square[:, is_silent] = square[:, ~is_silent].mean(axis=1, keepdims=True)
    known = np.take_along_axis(n_reached, nearest, axis=0)  # s C
    share = np.where(is_silent, 0.0, known / known.max(axis=1, keepdims=True))
    return _Errors(centered, square, share * n_origins / (step + 1))


def _calibration(
    errors: _Errors | None, prior: np.ndarray, has_spread: bool, n_series: int
) -> Calibration | None:
    """Return the calibration by some errors; a spread that is foretold stays without them."""
    if errors is None:
        if not has_spread:
            return None
        ranks = np.arange(SCORES_WITHOUT_EVIDENCE)[:, None, None]
        return Calibration(_normal_ranks(np.repeat(ranks, n_series, axis=2)))
    centered, square, separate = errors
    ranks = _normal_ranks(centered)
    if has_spread:
        prior = prior[np.minimum(np.arange(len(separate)), len(prior) - 1)]
        return Calibration(ranks * np.sqrt(_variance(square, separate, prior, SPREAD_STRENGTH)))
    normal = SHAPE_STRENGTH / (SHAPE_STRENGTH + separate)
    mixed = normal * ranks * np.sqrt(square) + (1 - normal) * centered
    return Calibration(mixed * np.sqrt(_variance(1.0, separate, 1.0, LEAST_STRENGTH)))


def _normal_ranks(scores: np.ndarray) -> np.ndarray:
    """Return the normal score of each score's rank among those of its step and series."""
    known = np.isfinite(scores)
    rank = scores.argsort(axis=0).argsort(axis=0) + 1  # NaN come last
    levels = torch.from_numpy(rank / (known.sum(axis=0) + 1.0))
    return np.where(known, torch.special.ndtri(levels).numpy(), np.nan)


def _variance(
    square: np.ndarray | float, separate: np.ndarray, prior: np.ndarray | float, strength: float
) -> np.ndarray:
    """Return the variance of a forecast whose errors have a mean square, (s, C).

    The mean square comes from as many forecasts that do not overlap as ``separate``, (s, C), says,
    and is drawn to a prior variance that counts as ``strength`` more. As the variance is estimated,
    a forecast follows a t-distribution, whose tails are in the answer (Gelman and others 2013,
    Bayesian Data Analysis, 2.6).
    """
    return np.asarray((separate * square + strength * prior) / (separate + strength - 2))


def _earlier_origins(
    members: Sequence[Member],
    instances: Sequence[ScaledRows],
    trials: Sequence[Trial | None],
    n_steps: int,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the origins of each instance, and the errors of the linear member there.

    Without the linear member they are the rows of the second half, and there are no errors.
    """
    n_levels = max(member.head.n_params for member in members)
    n_series = instances[0].target.shape[1]
    n_numbers = sum(rows.target.size for rows in instances)
    shifts = int(np.clip(ROWS_READ // max(1, n_numbers), 1, PATCH))
    honest = [0.0] * len(instances)
    for member in members:
        if isinstance(member, (AdaptedMember, TrainedMember)):
            honest = [max(pair) for pair in zip(honest, member.honest_from, strict=True)]
    origins, places = [], []
    for number, rows in enumerate(instances):
        if not trials:
            own = np.arange(max(PATCH, len(rows) // 2), len(rows))
        else:
            trial = trials[number]
            own = np.zeros(0, dtype=int) if trial is None else trial.origin
        place = np.flatnonzero(((len(rows) - own) % PATCH < shifts) & (own >= honest[number]))
        origins.append(own[place])
        places.append(place)
    n_kept = sum(map(len, origins)) * n_steps * n_series * n_levels
    stride = -(-n_kept // NUMBERS_KEPT) if n_kept else 1
    origins, places = [own[::stride] for own in origins], [place[::stride] for place in places]
    errors = []
    for trial, place, rows, own in zip(
        trials or [None] * len(instances), places, instances, origins, strict=True
    ):
        if trial is None:
            errors.append(np.empty((0, n_steps, n_series)))
        else:
            is_known = np.isfinite(_actual(rows, own, n_steps))
            errors.append(np.where(is_known, trial.errors[place], np.nan))
    return origins, errors


def _actual(rows: ScaledRows, origins: np.ndarray, n_steps: int) -> np.ndarray:
    """Return what came after each origin, (B, s, C); NaN where it is not known."""
    at = origins[:, None] + np.arange(n_steps)
    actual = rows.target[np.minimum(at, len(rows) - 1)]
    actual[at >= len(rows)] = np.nan
    return actual


def _asked(
    member: Member, instances: Sequence[ScaledRows], origins: Sequence[np.ndarray], n_steps: int
) -> list[np.ndarray]:
    """Return the forecasts of a member, NaN beyond the steps that a network gives at once."""
    n_asked = n_steps
    if isinstance(member, PretrainedMember):
        n_asked = min(n_steps, member.n_steps_at_once)
    answers = member.forecast(instances, origins, n_asked)
    beyond = [(0, 0), (0, n_steps - n_asked), (0, 0), (0, 0)]
    return [np.pad(answer, beyond, constant_values=np.nan) for answer in answers]
