"""The VAR in the network: what a fitted SAMoVAR says about the dynamics of its data.

Two readings, never mixed:

* **data space**, local: lag matrices at observation lags in the data's units, the Jacobian of the
  forecast at an origin (``forecast_jacobian``, ``jacobian``, ``local_var``);
* **token space**, exact: the weights by which the mixture carried tokens to a forecast, and the
  paths that they took (``token_space``, ``token_weights``, ``influence_paths``).

A forecast is frozen as a map from windows to forecasts and Jacobians: a trained network
(``network_map``), the pretrained network (``zero_shot_map``), a linear forecast
(``linear_forecast_map``), and the average of such members (``average_map``, ``members``).

The object that people use, :class:`~samovar_forecast.DynamicVAR`, has floors: ``forecast_reading``
(a network on a ``history``: forecasts, Jacobians, residuals), ``banded_reading`` (bands of any
answer), ``coefficient_reading`` (the VAR at every origin), ``shock_reading`` (responses) and
``dynamic_var`` (tests, news). The answers are computed below it by functions of any one-step
forecaster: ``responses``, ``decompositions``, ``connectedness``, ``causality``, ``constancy``.
Results draw themselves by ``samovar_forecast.plots``, which is imported when a figure is asked for
(``results``). torch is known to ``network_map``, ``zero_shot_map``, ``network_trace`` and, for
training again, ``refitting`` alone.
"""

__all__ = ["bands", "decompositions", "responses"]
