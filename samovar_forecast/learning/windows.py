"""Series tensors to training windows, gathered a whole batch at a time from a single tensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from samovar_forecast.exceptions import DataError


@dataclass(frozen=True)
class SeriesTensors:
    """An instance: C series over the same time steps, with their covariates.

    Attributes
    ----------
    target : Tensor of shape (n_time, C)
    past_covariates : Tensor of shape (n_time, P), optional
    future_covariates : Tensor of shape (n_time, F), optional
    static_covariates : Tensor of shape (C, S), optional
    """

    target: Tensor
    past_covariates: Tensor | None = None
    future_covariates: Tensor | None = None
    static_covariates: Tensor | None = None


class WindowBatch(NamedTuple):
    """Windows and their futures; the first four fields are the arguments of the forward."""

    target: Tensor
    """(B, L, C)"""
    past_covariates: Tensor | None
    """(B, L, P)"""
    future_covariates: Tensor | None
    """(B, L + s, F)"""
    static_covariates: Tensor | None
    """(B, C, S)"""
    future: Tensor
    """(B, s, C)"""


@dataclass(frozen=True)
class WindowSet:
    """All windows of one or several instances, addressed by index.

    The values of all instances lie in a table, instance below instance; a window is a row number
    in the table. A batch of windows is a single gather.

    Attributes
    ----------
    table : Tensor of shape (total time, P + C + F)
        Past covariates, targets and future covariates of all instances.
    starts : Tensor of shape (n_windows,)
        Row at which each window starts.
    instance : Tensor of shape (n_windows,)
        Number of the instance that each window comes from.
    bounds : tuple of (int, int)
        First row of each instance in the table, and the row after the last row of the instance.
    static : Tensor of shape (n_instances, C, S), optional
    widths : (int, int, int)
        P, C and F.
    context_length, patch_length : int
        L and s.
    """

    table: Tensor
    starts: Tensor
    instance: Tensor
    bounds: tuple[tuple[int, int], ...]
    static: Tensor | None
    widths: tuple[int, int, int]
    context_length: int
    patch_length: int

    def first_forecast_rows(self) -> list[int | None]:
        """Return the first row of each instance that a window forecasts; None without a window."""
        nothing = len(self.table)
        earliest = torch.full((len(self.bounds),), nothing, device=self.starts.device)
        earliest = earliest.scatter_reduce(0, self.instance, self.starts, "amin")
        return [
            None if row == nothing else row - start + self.context_length
            for row, (start, _) in zip(earliest.tolist(), self.bounds, strict=True)
        ]

    @classmethod
    def from_series(
        cls, series: Sequence[SeriesTensors], context_length: int, patch_length: int
    ) -> WindowSet:
        """Lay out all windows of ``context_length`` steps and the ``patch_length`` steps after.

        A single instance without covariates is not copied: over a memory-mapped array, a batch
        reads the rows of its windows and no others.

        Raises
        ------
        DataError
            If no instance is long enough for one window.
        """
        span = context_length + patch_length
        tables, starts, instance, bounds, row = [], [], [], [], 0
        for number, rows in enumerate(series):
            parts = [rows.past_covariates, rows.target, rows.future_covariates]
            tables.append(_joined([part for part in parts if part is not None], dim=-1))
            n_time = rows.target.shape[0]
            count = max(0, n_time - span + 1)
            starts.append(torch.arange(row, row + count))
            instance.append(torch.full((count,), number))
            bounds.append((row, row + n_time))
            row += n_time
        if sum(len(part) for part in starts) == 0:
            longest = max(stop - start for start, stop in bounds)
            raise DataError(
                f"too few observations for one training window: found {longest}, wanted at least "
                f"{span} (context_length {context_length} + patch_length {patch_length}); "
                "give more observations or choose shorter lengths"
            )
        first = series[0]
        static = None
        if first.static_covariates is not None:
            static = torch.stack(
                [rows.static_covariates for rows in series if rows.static_covariates is not None]
            )
        widths = tuple(
            0 if part is None else part.shape[-1]
            for part in (first.past_covariates, first.target, first.future_covariates)
        )
        return cls(
            table=_joined(tables, dim=0),
            starts=torch.cat(starts),
            instance=torch.cat(instance),
            bounds=tuple(bounds),
            static=static,
            widths=widths,  # type: ignore[arg-type]
            context_length=context_length,
            patch_length=patch_length,
        )

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.starts)

    def batch(self, indices: Tensor) -> WindowBatch:
        """Gather the windows of the given numbers, shape (B,), at once."""
        span = self.context_length + self.patch_length
        rows = self.starts[indices, None] + torch.arange(span, device=self.starts.device)
        values = self.table[rows]  # B L+s P+C+F
        past, target, future_known = values.split(self.widths, dim=-1)
        length = self.context_length
        return WindowBatch(
            target=target[:, :length],
            past_covariates=past[:, :length] if self.widths[0] else None,
            future_covariates=future_known if self.widths[2] else None,
            static_covariates=None if self.static is None else self.static[self.instance[indices]],
            future=target[:, length:],
        )

    def split_in_time(self, validation_fraction: float) -> tuple[WindowSet, WindowSet | None]:
        """Split off the windows that forecast the last share of each instance.

        No step that a validation window forecasts is seen in training; a validation window may
        look back over the border. An instance too short for both gives training windows only.

        Returns
        -------
        training, validation : WindowSet
            The second is None if no instance is long enough, or the share is 0.
        """
        if validation_fraction <= 0:
            return self, None
        forecast_from = self.starts + self.context_length
        borders = [
            stop - max(self.patch_length, round(validation_fraction * (stop - start)))
            for start, stop in self.bounds
        ]
        border = torch.tensor(borders, device=self.starts.device)[self.instance]
        is_training = forecast_from + self.patch_length <= border
        n_training = self.instance[is_training].bincount(minlength=len(borders))
        is_too_short = (n_training == 0)[self.instance]
        is_training |= is_too_short
        is_validation = (forecast_from >= border) & ~is_too_short
        if not bool(is_validation.any()):
            return self, None
        return self._select(is_training), self._select(is_validation)

    def thinned(self, n_windows: int) -> WindowSet:
        """Return at most so many of the windows, evenly spread."""
        if len(self) <= n_windows:
            return self
        places = torch.linspace(0, len(self) - 1, n_windows, dtype=torch.float64).round().long()
        return self._select(places)

    def _select(self, mask: Tensor) -> WindowSet:
        return replace(self, starts=self.starts[mask], instance=self.instance[mask])

    def to(self, device: torch.device | str) -> WindowSet:
        """Return the set with its tensors on a device, so that batches are gathered there."""
        return replace(
            self,
            table=self.table.to(device),
            starts=self.starts.to(device),
            instance=self.instance.to(device),
            static=None if self.static is None else self.static.to(device),
        )


def _joined(parts: Sequence[Tensor], dim: int) -> Tensor:
    """Return the parts as a single tensor; a single part is not copied."""
    return torch.cat(list(parts), dim=dim) if len(parts) > 1 else parts[0]
