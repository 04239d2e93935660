"""The VAR in the network: what a fitted SAMoVAR says about the dynamics of its data.

Two readings, never mixed:

* **token space**, exact: the weights by which the mixture carried tokens to a forecast, and the
  paths they took (``token_weights``);
* **data space**, local: lag matrices at observation lags in the data's units, the Jacobian of the
  forecast at an origin (``network_map``, ``forecast_jacobian``).

``dynamic_var`` holds the object that people use, :class:`~samovar_forecast.DynamicVAR`;
``responses`` and ``causality`` answer its questions. torch is known to ``network_map`` alone.
"""

__all__ = ["bands", "decompositions", "responses"]
