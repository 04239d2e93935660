"""What the dynamic VAR needs of a forecaster: windows in, forecasts and Jacobians out.

Letters: B windows, L context, s steps ahead, C series, R weighted sums of the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

import numpy as np

from samovar_forecast.dynamics.jacobian import Jacobian
from samovar_forecast.dynamics.windows import Units, Windows

if TYPE_CHECKING:
    from samovar_forecast.dynamics.network_map import NetworkMap


Part = Literal["total", "dynamics", "level", "scale", "memory"]
"""Ways in which a change of a window moves a forecast; the total is the sum of the others.

* dynamics: the newest values move the forecast, while level, scale and memory stay. An ordinary VAR
  in deviations from a level, whose sums are persistence.
* level, scale: the change moves what was measured of the window, and this the forecast.
* memory: the change moves what the forecaster has learned inside the window, its coefficients among
  it. A forecaster that learns nothing there has none.
"""

PARTS: tuple[Part, ...] = get_args(Part)


class WindowShape(Protocol):
    """Lengths and columns of the windows that a forecaster reads; a ``NetworkConfig`` has them."""

    @property
    def context_length(self) -> int:
        """Rows of a window, L."""

    @property
    def patch_length(self) -> int:
        """Rows after a window of which future covariates are read."""

    @property
    def n_series(self) -> int:
        """Number of series, C."""

    @property
    def n_past_covariates(self) -> int:
        """Columns known up to the origin."""

    @property
    def n_future_covariates(self) -> int:
        """Columns known ahead."""

    @property
    def n_static_covariates(self) -> int:
        """Attributes of every series."""

    @property
    def missing_values(self) -> bool:
        """Whether a window may have gaps."""


@dataclass(frozen=True)
class Shape:
    """A :class:`WindowShape` of its own; windows may have gaps."""

    context_length: int
    patch_length: int
    n_series: int
    n_past_covariates: int = 0
    n_future_covariates: int = 0
    n_static_covariates: int = 0
    missing_values: bool = True


class ForecastMap(Protocol):
    """A forecaster that is frozen, from windows to forecasts and their Jacobians."""

    @property
    def shape(self) -> WindowShape:
        """Of the windows."""

    @property
    def n_steps(self) -> int:
        """Steps forecast at once, s."""

    @property
    def fewest_rows(self) -> int:
        """Rows of a window that have to be there; those before may be missing."""

    @property
    def is_anchored(self) -> bool:
        """Whether a linear map has a share in the forecast."""

    @property
    def cancels_level(self) -> bool:
        """Whether the forecast, a linear map left aside, moves with the level of a window."""

    @property
    def trained(self) -> NetworkMap | None:
        """The trained network that has a part in the forecast, if any."""

    def equals(self, other: ForecastMap) -> bool:
        """Whether both maps give the same forecasts, by configuration and numbers."""

    def forecast(self, windows: Windows) -> np.ndarray:
        """Return the forecasts after each window; shape (B, s, C)."""

    def jacobians(
        self, windows: Windows, weights: np.ndarray, units: Units, part: Part = "total"
    ) -> Iterator[Jacobian]:
        """Yield the Jacobian of weighted sums of the forecast's steps, window by window.

        Parameters
        ----------
        windows : Windows
        weights : array of shape (R, s) or (R, s, C)
            Row r asks for ``sum_h weights[r, h] * forecast[h]``.
        units : Units
            Of the data.
        part : Part, default="total"
            The way in which a change of the window moves the forecast. The value of the Jacobian
            is the forecast whatever the part.
        """


def by_series(weights: np.ndarray, n_series: int) -> np.ndarray:
    """Return weights of steps, (R, s) or (R, s, C), as (R, s, C)."""
    if weights.ndim == 3:
        return weights
    return np.broadcast_to(weights[:, :, None], (*weights.shape, n_series))


def n_leading_gaps(*tables: np.ndarray | None) -> np.ndarray:
    """Return how many first rows of each window, (B, L, any), are missing in all tables; (B,)."""
    there = [np.isfinite(table).any(axis=2) for table in tables if table is not None]
    length = min(rows.shape[1] for rows in there)
    is_there = np.logical_or.reduce([rows[:, :length] for rows in there])
    return np.where(is_there.any(axis=1), is_there.argmax(axis=1), length)
