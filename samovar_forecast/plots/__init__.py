"""Every figure: each function takes a result and returns Axes; nothing is computed here."""

from samovar_forecast.plots.coefficients import (
    plot_attribution,
    plot_coefficient_paths,
    plot_influence_paths,
    plot_lag_matrices,
    plot_lag_profiles,
    plot_news,
)
from samovar_forecast.plots.forecasts import plot_forecasts
from samovar_forecast.plots.layout import save_figure
from samovar_forecast.plots.responses import (
    plot_causality,
    plot_connectedness,
    plot_decomposition,
    plot_responses,
    plot_spillovers,
)
from samovar_forecast.plots.scores import (
    plot_calibration,
    plot_errors_by_origin,
    plot_errors_by_series,
    plot_errors_by_step,
)

__all__ = [
    "plot_attribution",
    "plot_calibration",
    "plot_causality",
    "plot_coefficient_paths",
    "plot_connectedness",
    "plot_decomposition",
    "plot_errors_by_origin",
    "plot_errors_by_series",
    "plot_errors_by_step",
    "plot_forecasts",
    "plot_influence_paths",
    "plot_lag_matrices",
    "plot_lag_profiles",
    "plot_news",
    "plot_responses",
    "plot_spillovers",
    "save_figure",
]
