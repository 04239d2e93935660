"""Token space of a network on a history: what the mixture did, with names and dates."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.history import History, number_of
from samovar_forecast.dynamics.influence_paths import InfluencePath, influence_paths
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.network_trace import read_trace
from samovar_forecast.dynamics.results import Result
from samovar_forecast.dynamics.token_weights import LagWeights, TokenTrace, lag_weights


@dataclass(frozen=True, eq=False)
class InfluencePaths(Result):
    """The strongest ways by which patches reached a step of a series' forecast.

    Attributes
    ----------
    table : DataFrame
        A row per path, the largest contribution first: ``contribution`` (units of the data),
        ``patch_lag`` (of the patch that it starts from; 0 is the newest), ``from_kind`` (its own
        patch, "endogenous", or the mix of all series, "exogenous"), ``n_layers``, ``head``,
        ``tokens`` (the tokens it passes; 2 n and 2 n + 1 belong to patch n), and ``starts`` and
        ``ends``, the times of the patch that it starts from.
    patches : DataFrame
        ``starts`` and ``ends`` of every patch, oldest first.
    response : label
    step : int
    origin : label
    forecast : float
        All paths together plus the offset: what the network gives to the forecast.
    offset : float
        What no path carries: level of the window and bias of the head.
    share : float, default=1
        Of the network in this step of the forecast. Contributions, offset and forecast are taken
        this many times; other members, or an anchor, give the rest.
    """

    figure: ClassVar[str] = "plot_influence_paths"

    table: pd.DataFrame
    patches: pd.DataFrame
    response: Hashable
    step: int
    origin: Hashable
    forecast: float
    offset: float
    share: float = 1.0

    def to_frame(self) -> pd.DataFrame:
        """Return a copy of `table`."""
        return self.table.copy()

    def __repr__(self) -> str:
        return (
            f"InfluencePaths({len(self.table)} into {self.response}, step {self.step} from "
            f"{self.origin})"
        )


class TokenSpace:
    """How a network put its forecasts together: exact weights and paths inside the mixture.

    Paths add up to what the network gives to the forecast, its share among members and beside an
    anchor counted in; weights and traces are those of the network alone. They are no effects:
    what a change of the data does is told by the coefficients of ``DynamicVAR`` alone. An origin
    is a label of the history, by default the newest.

    Parameters
    ----------
    network_map : NetworkMap
    history : History
    shares : array of shape (s, C), optional
        Of the network among the members of an average; by default it is alone.

    Attributes
    ----------
    shares : array of shape (steps of the network, C)
        Of the network in each step of each series, beside an anchor and other members. A step
        that the average does not forecast has the share of its last.

    Raises
    ------
    ConfigurationError
        By every method, if the network has no VAR mixture (LinTrans).
    """

    def __init__(
        self, network_map: NetworkMap, history: History, shares: np.ndarray | None = None
    ) -> None:
        self._map = network_map
        self._data = history
        gate = network_map.gate
        among = np.ones_like(gate) if shares is None else shares
        self.shares = gate * among[np.minimum(np.arange(len(gate)), len(among) - 1)]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._map.config.n_patches} patches at every origin)"

    def trace(self, origin: Hashable | None = None) -> TokenTrace:
        """Return what the mixture did at an origin: queries, values, readings in data units."""
        window = self._data.windows(np.array([self._data.position(origin)]))
        return read_trace(self._map, window, self._data.units())

    def lag_weights(self, origin: Hashable | None = None, patch: int | None = None) -> LagWeights:
        """Return the weights of the mixture on its tokens; see :func:`token_weights.lag_weights`.

        Parameters
        ----------
        origin : label, optional
        patch : int, optional
            Number of the patch at which the next patch is predicted, 0 the oldest; by default the
            newest, which makes the forecast.
        """
        return lag_weights(self.trace(origin), patch)

    def influence_paths(
        self,
        response: Hashable,
        step: int = 1,
        *,
        origin: Hashable | None = None,
        top: int = 10,
        from_patch: int | None = None,
    ) -> InfluencePaths:
        """Return the paths by which patches reached a step of a series' forecast.

        Parameters
        ----------
        response : name of a series
        step : int, default=1
        origin : label, optional
        top : int, default=10
            How many, the largest contributions first.
        from_patch : int, optional
            Only paths from this patch, 0 the oldest.

        Returns
        -------
        InfluencePaths
        """
        series = number_of(response, self._data.target.names, "series")
        trace = self.trace(origin)
        found = influence_paths(trace, series, step, top=top, from_patch=from_patch)
        position = self._data.position(origin)
        patches = self._patches(position)
        share = float(self.shares[step - 1, series])
        return InfluencePaths(
            table=_table(found, patches, share),
            patches=patches,
            response=response,
            step=step,
            origin=self._data.index[position],
            forecast=share * float(trace.patch_prediction[series, -1, step - 1]),
            offset=share * float(trace.offset[series, step - 1]),
            share=share,
        )

    def _patches(self, position: int) -> pd.DataFrame:
        """Return the first and the last time of each patch of a window, oldest patch first."""
        config, index = self._map.config, self._data.index
        after = position + 1
        firsts = after - config.patch_length * np.arange(config.n_patches, 0, -1)
        return pd.DataFrame(
            {
                "starts": index[np.maximum(firsts, after - config.context_length)],
                "ends": index[firsts + config.patch_length - 1],
            }
        )


def _table(paths: list[InfluencePath], patches: pd.DataFrame, share: float) -> pd.DataFrame:
    """Return a row per path, with the times of the patch that it starts from.

    Contributions are taken ``share`` times.
    """
    table = pd.DataFrame(
        {
            "contribution": [share * path.contribution for path in paths],
            "patch_lag": [path.patch_lag for path in paths],
            "from_kind": [path.kinds[0] for path in paths],
            "n_layers": [path.n_layers for path in paths],
            "head": [path.head for path in paths],
            "tokens": [path.tokens for path in paths],
        }
    )
    starts = patches.loc[[path.patches[0] for path in paths]].reset_index(drop=True)
    return pd.concat([table, starts], axis=1)
