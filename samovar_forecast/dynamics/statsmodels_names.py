"""What does here the thing that a result of statsmodels' VAR does by another name."""

from __future__ import annotations

from collections.abc import Mapping

_NO_STANDARD_ERROR = "least-squares formulas do not hold here; bands: irf(..., bands='bootstrap')"
_NO_CRITERION = "a forecast is not chosen by a criterion; compare errors: samovar_forecast.compare"
_OF_THE_HISTORY = "of the data themselves, not of a model: statsmodels.tsa.stattools"
_OF_ERRORS = "the one-step errors are a frame, resid, with pandas' methods; test: test_whiteness()"
_OF_THE_PROCESS = "of the process with these coefficients: to_statsmodels()"
_BANDS = "bands are an argument: irf(..., bands='bootstrap')"

ANSWERED_BY = {
    "acf": _OF_THE_PROCESS,
    "acorr": _OF_THE_PROCESS,
    "aic": _NO_CRITERION,
    "bic": _NO_CRITERION,
    "bse": _NO_STANDARD_ERROR,
    "cov_params": _NO_STANDARD_ERROR,
    "cov_ybar": _NO_STANDARD_ERROR,
    "cum_effects": "sum responses: irf(...).cumulative()",
    "detomega": "numpy.linalg.det(sigma_u)",
    "df_model": "the network counts no degrees of freedom; see summary()",
    "df_resid": "the network counts no degrees of freedom; see summary()",
    "endog": "the rows are a frame: history",
    "endog_lagged": "the rows that a forecast reads: windows_at(origin)",
    "exog": "covariates stand in data; what they do: dynamic_multipliers()",
    "fittedvalues": "the history less resid: forecasts one step ahead from every origin",
    "forecast_cov": "covariances of iterated forecasts: to_statsmodels().forecast_cov(steps)",
    "forecast_interval": "intervals are those of the forecaster: predict_interval",
    "fpe": _NO_CRITERION,
    "get_eq_index": "names are labels of rows and columns: at().pair(response, impulse)",
    "hqic": _NO_CRITERION,
    "info_criteria": _NO_CRITERION,
    "intercept_longrun": "where no unit root is built in: to_statsmodels().intercept_longrun()",
    "irf_errband_mc": _BANDS,
    "irf_resim": _BANDS,
    "k_exog": "covariates stand in data; what they do: dynamic_multipliers()",
    "k_exog_user": "covariates stand in data; what they do: dynamic_multipliers()",
    "k_trend": "a constant alone: intercept",
    "llf": _NO_CRITERION,
    "lr_effects": "the sums of all responses are long_run_effects()",
    "ma_rep": "responses are irf(...).estimate, or those of to_statsmodels()",
    "mean": "where no unit root is built in: to_statsmodels().mean()",
    "model": "the forecaster that was fitted, or the frame given to read_var",
    "mse": "covariances of iterated forecasts: to_statsmodels().mse(steps)",
    "n_totobs": "rows are those of history, origins those of origins",
    "nobs": "one-step errors are the rows of resid, observations those of history",
    "orth_ma_rep": "responses are irf(..., orth=True).estimate, or those of to_statsmodels()",
    "params": "coefs and intercept of the newest origin; at(origin) has those of another",
    "plot": "draw the history by history.plot()",
    "plot_acorr": _OF_ERRORS,
    "plot_forecast": "draw the forecaster's quantiles: forecaster.plot()",
    "plot_sample_acorr": _OF_THE_HISTORY,
    "plotsim": "simulate() returns paths: draw them with pandas",
    "pvalues": _NO_STANDARD_ERROR,
    "pvalues_dt": _NO_STANDARD_ERROR,
    "pvalues_endog_lagged": _NO_STANDARD_ERROR,
    "reorder": "read the columns in another order: read_var(y[order])",
    "resid_acorr": _OF_ERRORS,
    "resid_acov": _OF_ERRORS,
    "resid_corr": "resid.corr()",
    "roots": "the largest root is largest_root(); all of them: to_statsmodels().roots",
    "sample_acorr": _OF_THE_HISTORY,
    "sample_acov": _OF_THE_HISTORY,
    "sigma_u_mle": "sigma_u is of one-step errors, with no degrees of freedom taken off",
    "simulate_var": "simulate(), or of one origin to_statsmodels().simulate_var()",
    "stderr": _NO_STANDARD_ERROR,
    "stderr_dt": _NO_STANDARD_ERROR,
    "stderr_endog_lagged": _NO_STANDARD_ERROR,
    "test_inst_causality": "errors that move together are seen in sigma_u and sigma_at",
    "trend": "a constant alone: intercept",
    "to_vecm": "levels that share trends are read as they are: long_run_effects(), persistence()",
    "tvalues": _NO_STANDARD_ERROR,
    "tvalues_dt": _NO_STANDARD_ERROR,
    "tvalues_endog_lagged": _NO_STANDARD_ERROR,
}
"""By the name in statsmodels; what ``DynamicVAR`` has under the same name is not listed."""

_NO_FORMULA = "no formula holds; with bands=... the draws are in draws"
_CUMULATIVE = "responses are summed by cumulative()"
_BAND = "bands are an argument, irf(..., bands='local'); then band()"

OF_RESPONSES = {
    "G": _NO_FORMULA,
    "H": _NO_FORMULA,
    "cov": _NO_FORMULA,
    "cum_effect_cov": _NO_FORMULA,
    "cum_effect_stderr": _NO_FORMULA,
    "cum_effects": _CUMULATIVE,
    "cum_errband_mc": _BAND,
    "err_band_sz1": _BAND,
    "err_band_sz2": _BAND,
    "err_band_sz3": _BAND,
    "errband_mc": _BAND,
    "fevd_table": "shares of forecast errors are fevd(...) of the DynamicVAR",
    "irfs": "the responses are estimate, [period, response, impulse]",
    "lr_effect_cov": _NO_FORMULA,
    "lr_effect_stderr": _NO_FORMULA,
    "lr_effects": "the sums of all responses are long_run_effects() of the DynamicVAR",
    "orth_cum_effects": "ask for orthogonal shocks, irf(..., orth=True), and sum by cumulative()",
    "orth_irfs": "ask for orthogonal shocks: irf(..., orth=True)",
    "orth_lr_effects": "ask for orthogonal shocks, irf(..., orth=True), and sum by cumulative()",
    "plot_cum_effects": "cumulative().plot()",
    "stderr": _NO_FORMULA,
}
"""The same of ``IRAnalysis`` and :class:`~samovar_forecast.dynamics.responses.ImpulseResponses`."""

OF_SHARES = {
    "cov": _NO_FORMULA,
    "summary": "the table is to_frame(), in LaTeX to_latex()",
}
"""The same of ``FEVD``."""


def unknown_name(owner: object, name: str, answered_by: Mapping[str, str]) -> AttributeError:
    """Return the error of an attribute that is not there: it says what does the thing."""
    if name in answered_by:
        return AttributeError(
            f"{type(owner).__name__} has no {name!r}, as statsmodels has; {answered_by[name]}"
        )
    return AttributeError(f"{type(owner).__name__!r} object has no attribute {name!r}")
