"""A reading is built: from a trained network, or from the members of an average."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from samovar_forecast.config import TrainingConfig
from samovar_forecast.dynamics.earlier_forecasts import Estimation
from samovar_forecast.dynamics.history import History, TableLike
from samovar_forecast.dynamics.members import Member, average_of
from samovar_forecast.dynamics.network_map import NetworkMap
from samovar_forecast.dynamics.reading_basis import ReadingBasis
from samovar_forecast.dynamics.simulation import check_covariance
from samovar_forecast.frames.scaler import Scaler

if TYPE_CHECKING:
    from samovar_forecast.network import SAMoVARNetwork

_R = TypeVar("_R", bound="BuiltReading")


class BuiltReading(ReadingBasis):
    """A forecaster on a history, built from what a user has at hand."""

    @classmethod
    def from_network(
        cls: type[_R],
        network: SAMoVARNetwork,
        history: TableLike,
        *,
        scaler: Scaler | None = None,
        past_covariates: TableLike | None = None,
        past_scaler: Scaler | None = None,
        future_covariates: TableLike | None = None,
        future_scaler: Scaler | None = None,
        static_covariates: TableLike | None = None,
        sigma_u: np.ndarray | None = None,
        out_of_sample_from: Hashable | None = None,
        training: TrainingConfig | None = None,
        parameter: int = 0,
    ) -> _R:
        """Read a trained network as a VAR on a history of its series.

        Parameters
        ----------
        network : SAMoVARNetwork
            Trained. A float64 copy is kept; the original is left as it is.
        history : DataFrame or array of shape (n_time, C)
            The series, in the units of the data, oldest row first; at least one context. What is
            asked at many origins (residuals, paths) needs more. Gaps only if the network was
            built for ``missing_values``.
        scaler, past_scaler, future_scaler : Scaler, optional
            How the host scaled what it gave to the network; by default not at all. A scale of 0
            (a constant column) counts as 1.
        past_covariates : DataFrame or array of shape (n_time, P), optional
        future_covariates : DataFrame or array of shape (n_time + n_ahead, F), optional
            From the first row of the history on. An origin needs a patch of them ahead.
        static_covariates : DataFrame or array of shape (C, S), optional
            As the network takes them.
        sigma_u : array of shape (C, C), optional
            Covariance of the one-step errors; by default the covariance of the residuals.
        out_of_sample_from : label, optional
            First time that training did not see. Residual diagnostics then use later times only.
        training : TrainingConfig, optional
            How the network was trained; tests that train again train in the same way.
        parameter : int, default=0
            Which of the numbers predicted per step is the forecast: the median of a quantile
            head, the location of a distribution.

        Returns
        -------
        DynamicVAR

        Raises
        ------
        DataError
            If a table does not fit the network, has gaps, or is too short.
        """
        tables = (history, past_covariates, future_covariates, static_covariates)
        scalers = (scaler, past_scaler, future_scaler)
        data = History.from_tables(network.config, *tables, scalers)
        if sigma_u is not None:
            sigma_u = check_covariance(sigma_u, network.config.n_series)
        return cls(
            NetworkMap(network, parameter),
            data,
            sigma_u=sigma_u,
            out_of_sample_from=out_of_sample_from,
            training=training,
        )

    @classmethod
    def from_members(
        cls: type[_R],
        members: Mapping[str, Member],
        shares: Mapping[str, np.ndarray],
        history: TableLike,
        *,
        context_length: int | None = None,
        scaler: Scaler | None = None,
        past_covariates: TableLike | None = None,
        past_scaler: Scaler | None = None,
        future_covariates: TableLike | None = None,
        future_scaler: Scaler | None = None,
        static_covariates: TableLike | None = None,
        sigma_u: np.ndarray | None = None,
        out_of_sample_from: Hashable | None = None,
        training: TrainingConfig | None = None,
        parameter: int = 0,
        estimation: Estimation | None = None,
    ) -> _R:
        """Read a weighted average of forecasts as a VAR on a history of its series.

        A forecast may start from few rows: a row for a linear forecast, a patch for a pretrained
        network, a full context for a trained network.

        Parameters
        ----------
        members : mapping of str to LinearForecast, tuple, or SAMoVARNetwork
            A pretrained network stands in a tuple with the period that it is told (1 for none),
            and the effect of covariates around it, if any: ``(network, season, effect)``.
        shares : mapping of str to array of shape (s, C)
            Share of each member at each step of each series; they sum to 1 over the members.
            Steps beyond have the shares of the last.
        history : DataFrame or array of shape (n_time, C)
            As in :meth:`from_network`; gaps are allowed unless a trained network forbids them.
        context_length : int, optional
            Rows before an origin that are read at most; by default the whole history, up to 2,048
            rows. It is raised to the longest lag of a linear forecast, and to the context of a
            trained network.
        scaler, past_covariates, past_scaler, future_covariates, future_scaler, static_covariates
            As in :meth:`from_network`; all members see the series by one scaler.
        sigma_u, out_of_sample_from, training, parameter
            As in :meth:`from_network`; the last two of the trained network.
        estimation : Estimation, optional
            How the members came about. Without it, they are the same on any history.

        Returns
        -------
        DynamicVAR
            Of the steps that every member forecasts at once.

        Raises
        ------
        ConfigurationError
            If members and shares do not fit each other.
        DataError
            If a table does not fit, or is too short.
        """
        tables = (history, past_covariates, future_covariates, static_covariates)
        n_columns = [0 if table is None else np.shape(table)[1] for table in tables]
        average = average_of(
            members,
            shares,
            len(history),
            n_columns,
            context_length=context_length,
            parameter=parameter,
        )
        if estimation is not None and estimation.earlier is not None:
            average = average.with_linear(None, estimation.earlier(np.asarray(history, float)))
        data = History.from_tables(
            average.shape,
            *tables,
            (scaler, past_scaler, future_scaler),
            fewest_rows=average.fewest_rows,
        )
        if sigma_u is not None:
            sigma_u = check_covariance(sigma_u, average.shape.n_series)
        return cls(
            average,
            data,
            sigma_u=sigma_u,
            out_of_sample_from=out_of_sample_from,
            training=training,
            estimation=estimation,
        )
