"""Candidates held against rows that were hidden from them, and the weights that follow.

Letters: s steps ahead, C series, M candidates, B held-out windows, n time steps of an instance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from samovar_forecast.linear.candidates import (
    Form,
    Limits,
    iterated_candidates,
    pooled_candidate,
    pooled_forms,
    products_of,
)
from samovar_forecast.linear.direct import RELATIVE_PENALTIES, RidgePath
from samovar_forecast.linear.linear_map import LinearMap, without_gaps
from samovar_forecast.linear.sample import Sample
from samovar_forecast.linear.weights import stacked_weights

PRIOR_WEIGHTS = {
    "season": 0.0,
    "long season": 0.0,
    "last": 0.3,
    "simple": 0.3,
    "holt": 0.3,
    "forgetting": 0.1,
}
"""Weights before any evidence, up to scale; 1 for every other candidate."""

FORGETTING_AT_ONCE = 0.25
"""Weight of ``"forgetting"`` one step ahead, likewise, for each row per coefficient.

Where coefficients have moved to says most about the next row; but all of them have to be estimated,
from the newest rows. With 7 rows per coefficient it weighs 1.75, and with 100 it weighs 25."""

NAIVE = ("last", "season", "long season")
"""Candidates against which the others have to stand."""

CUTS = (0.5, 0.625, 0.75, 0.875, 1.0)
"""Shares of each instance: candidates fitted up to a share are held against the rows up to the
next share."""

PARTS_OF_A_LONG_SAMPLE = 3
"""Of a long sample each of so many parts is held out in turn, and candidates see the others: all
seasons of the years count alike."""

NUMBERS_HELD_OUT = 4_000_000
"""Beyond so many forecast numbers only some of the held-out origins are used, evenly spread."""


@dataclass(frozen=True)
class Trial:
    """Forecasts of an average from earlier origins, its candidates estimated on the rows before.

    Its weights are those of all origins. Another forecast that is asked from the same origins can
    be held against it.

    Attributes
    ----------
    instance, origin : int array of shape (B,)
        Number of the instance, and of its rows that were known.
    errors : array of shape (B, s, C)
        Forecast minus actual value, in the units of the data; NaN where the value is not known.
    """

    instance: np.ndarray
    origin: np.ndarray
    errors: np.ndarray


@dataclass(frozen=True)
class HiddenRows:
    """Rows of an instance up to the last that is forecast, and the origins that are tried."""

    rows: np.ndarray
    """As observed: what crosses a gap knows what comes after it."""
    first: int
    last: int


@dataclass(frozen=True)
class Fold:
    """Candidates that some rows of a sample were hidden from."""

    held_out: list[HiddenRows]
    maps: dict[str, LinearMap]
    forms: dict[str, list[Form]]
    paths: dict[str, list[RidgePath]]

    @classmethod
    def of(
        cls,
        sample: Sample,
        limits: Limits,
        filtered: dict[str, LinearMap],
        start: float,
        stop: float,
    ) -> Fold:
        """Hide the rows between two shares of each instance; of a short sample also all later rows.

        Forecasts from the hidden rows of a short instance may reach beyond them, and beyond its
        end: the steps up to it count.
        """
        if not sample.is_long:
            return cls.of_rows_before(sample, limits, filtered, start, stop)
        before, hidden = sample.part(0.0, start), sample.part(0.0, stop)
        held_out = [
            HiddenRows(rows, len(past), len(rows) - limits.n_steps)
            for rows, past in zip(hidden, before, strict=True)
        ]
        return cls._on([*before, *sample.part(stop, 1.0)], held_out, sample, limits, filtered)

    @classmethod
    def of_rows_before(
        cls,
        sample: Sample,
        limits: Limits,
        filtered: dict[str, LinearMap],
        start: float,
        stop: float,
    ) -> Fold:
        """Hide all rows from a share of each instance on, and try the origins up to another."""
        before = sample.part(0.0, start)
        held_out = [
            HiddenRows(rows, len(past), round(stop * len(rows)) - 1)
            for rows, past in zip(sample.observed, before, strict=True)
        ]
        return cls._on(before, held_out, sample, limits, filtered)

    @classmethod
    def _on(
        cls,
        seen: list[np.ndarray],
        held_out: list[HiddenRows],
        sample: Sample,
        limits: Limits,
        filtered: dict[str, LinearMap],
    ) -> Fold:
        seen = [without_gaps(rows) for rows in seen if len(rows)]
        own = sample.pooled_runs(seen)
        pooled = pooled_forms(own, limits)
        return cls(
            held_out,
            iterated_candidates(seen, sample.varies, limits) | filtered,
            pooled,
            {name: paths_of(forms, own) for name, forms in pooled.items()},
        )

    def until(self, n_rows: int) -> Fold:
        """Return the fold as it is known after some rows of each instance."""
        held_out = [
            replace(part, rows=part.rows[:n_rows], last=min(part.last, n_rows - 1))
            for part in self.held_out
        ]
        return replace(self, held_out=held_out, maps=dict(self.maps))

    def errors_of_penalties(self, sample: Sample, name: str) -> np.ndarray:
        """Return the squared errors of each form on the held-out rows, (forms, penalties)."""
        forms = self.forms[name]
        length, n_ahead = forms[0].length, forms[0].span - forms[0].length
        rows = [
            without_gaps(part.rows)[max(0, part.first - length) : part.last + n_ahead]
            for part in self.held_out
        ]
        products = products_of(forms, sample.pooled_runs(rows))
        found = zip(self.paths[name], products, strict=True)
        return np.array([path.errors(sums).sum(axis=1) for path, sums in found])

    def add_pooled(self, penalties: dict[str, list[float]], n_series: int) -> None:
        """Add the regressions that all series share, at their penalties."""
        for name, some in penalties.items():
            self.maps[name] = pooled_candidate(self.forms[name], self.paths[name], some, n_series)


def weigh(
    sample: Sample, limits: Limits, filtered: list[dict[str, LinearMap]]
) -> tuple[list[str], np.ndarray, dict[str, list[float]], HeldOutErrors]:
    """Return the candidates' names and weights (M, s, C), penalties of shared ones, and errors."""
    cuts = np.linspace(0.0, 1.0, PARTS_OF_A_LONG_SAMPLE + 1) if sample.is_long else CUTS
    folds = [
        Fold.of(sample, limits, filtered[-1 if sample.is_long else number], *pair)
        for number, pair in enumerate(pairwise(cuts))
    ]
    return weigh_on(folds, sample, limits)


def weigh_on(
    folds: Sequence[Fold], sample: Sample, limits: Limits
) -> tuple[list[str], np.ndarray, dict[str, list[float]], HeldOutErrors]:
    """Return what :func:`weigh` does, from folds; each gets the regressions of all series."""
    penalties: dict[str, list[float]] = {}
    for name, forms in folds[0].forms.items():
        if all(len(fold.forms.get(name, [])) == len(forms) for fold in folds):
            errors = sum(fold.errors_of_penalties(sample, name) for fold in folds)
            penalties[name] = [float(RELATIVE_PENALTIES[place]) for place in np.argmin(errors, 1)]
    for fold in folds:
        fold.add_pooled(penalties, len(sample.varies))
    # A candidate that one part of the sample does not identify is no candidate.
    names = [name for name in folds[0].maps if all(name in fold.maps for fold in folds)]
    held_out = _held_out_errors(folds, names, limits.n_steps)
    weights = stacked_weights(
        held_out.errors,
        held_out.n_origins,
        _prior_weights(names, limits.n_steps, rows_per_coef(folds, sample)),
        is_naive=np.array([name in NAIVE for name in names]),
        is_joint=limits.is_joint,
    )
    return names, weights, penalties, held_out


def rows_per_coef(folds: Sequence[Fold], sample: Sample) -> float:
    """Return how many known rows there are for each coefficient of a VAR(1) in one equation."""
    n_rows = sum(len(part.rows) for part in folds[-1].held_out)
    return float(n_rows / (1 + sample.varies.sum()))


def _prior_weights(names: Sequence[str], n_steps: int, rows_per_coef: float) -> np.ndarray:
    """Return the weights of candidates before any evidence, (M, s)."""
    prior = np.array([[PRIOR_WEIGHTS.get(name, 1.0)] * n_steps for name in names])
    if "forgetting" in names:
        prior[names.index("forgetting"), 0] = FORGETTING_AT_ONCE * rows_per_coef
    return np.asarray(prior / prior.sum(axis=0))


def paths_of(forms: Sequence[Form], own: list[list[np.ndarray]]) -> list[RidgePath]:
    """Return the regressions of some forms of one kind on the runs of all series."""
    products = products_of(forms, own)
    return [RidgePath(sums, form.n_past) for sums, form in zip(products, forms, strict=True)]


@dataclass(frozen=True)
class HeldOutErrors:
    """Errors (M, B, s, C) of candidates, NaN where the actual value is not known.

    ``n_origins`` is the number of origins that the B windows stand for.
    """

    errors: np.ndarray
    instance: np.ndarray
    origin: np.ndarray
    n_origins: int

    def averaged(self, weights: np.ndarray, unit: np.ndarray) -> Trial | None:
        """Return the errors of the average with weights (M, s, C), in the data's units."""
        if not len(self.origin):
            return None
        errors = np.einsum("mbsc,msc->bsc", self.errors, weights) * unit
        return Trial(self.instance, self.origin, errors)


def _held_out_errors(folds: Sequence[Fold], names: list[str], n_steps: int) -> HeldOutErrors:
    """Return the errors from the origins in hidden rows."""
    parts = []
    for fold in folds:
        n_lags = max(fold.maps[name].n_lags for name in names)
        parts += [
            (fold, number, part.rows, np.arange(max(1, n_lags, part.first), part.last + 1))
            for number, part in enumerate(fold.held_out)
        ]
    n_origins = sum(len(origins) for *_, origins in parts)
    n_series = folds[0].held_out[0].rows.shape[1]
    stride = max(1, n_origins * n_steps * n_series // NUMBERS_HELD_OUT)
    errors = [np.empty((len(names), 0, n_steps, n_series))]
    instance = [np.repeat(number, len(origins[::stride])) for _, number, _, origins in parts]
    for fold, _, rows, origins in parts:
        some = origins[::stride]
        if len(some):
            ahead = some[:, None] + np.arange(n_steps)
            actual = rows[np.minimum(ahead, len(rows) - 1)]  # B s C
            actual[ahead >= len(rows)] = np.nan
            first = np.isfinite(rows).argmax(axis=0)  # C
            actual = np.where((some[:, None] <= first)[:, None], np.nan, actual)
            errors.append(np.stack([fold.maps[name].along(rows, some) - actual for name in names]))
    origin = np.concatenate([origins[::stride] for *_, origins in parts])
    return HeldOutErrors(
        np.concatenate(errors, axis=1), np.concatenate(instance), origin, n_origins
    )
