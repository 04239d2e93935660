"""The VAR at an origin as text and as HTML: what it is, what was assumed, how it fits.

No standard errors and no t-statistics: the coefficients are derivatives of a forecast, whose
sampling distribution least-squares formulas do not give. Bands come from drawing the data, or the
training, again.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from samovar_forecast.dynamics.effective_lags import SHARE, sum_beyond
from samovar_forecast.dynamics.residual_tests import WHITENESS_LAGS, normality, whiteness
from samovar_forecast.exceptions import require

if TYPE_CHECKING:
    from samovar_forecast.dynamics.coefficient_reading import CoefficientReading
    from samovar_forecast.dynamics.local_var import LocalVAR

FEWEST_RESIDUALS = 30
WIDTH = 88


Section: TypeAlias = pd.DataFrame | str | dict[str, str]


@dataclass(frozen=True)
class Summary:
    """Sections with a heading each: a table, a text, or properties with their values.

    Attributes
    ----------
    title : str
    sections : tuple of (str, DataFrame or str or dict)
    """

    title: str
    sections: tuple[tuple[str, Section], ...]

    def __str__(self) -> str:
        """Return the summary as plain text."""
        parts = [self.title, "=" * WIDTH]
        for heading, body in self.sections:
            parts += [heading, "-" * WIDTH]
            if isinstance(body, str):
                parts.append("\n".join(_wrapped(line) for line in body.splitlines()))
            elif isinstance(body, dict):
                width = max(map(len, body))
                parts += [f"{name:<{width}}  {value}" for name, value in body.items()]
            else:
                parts.append(body.to_string(float_format=_number, na_rep=""))
            parts.append("")
        return "\n".join(parts)

    def __repr__(self) -> str:
        return str(self)

    def as_html(self) -> str:
        """Return the summary as a fragment of HTML, without styles of its own."""
        parts = [f"<h3>{html.escape(self.title)}</h3>"]
        for heading, body in self.sections:
            parts.append(f"<h4>{html.escape(heading)}</h4>")
            if isinstance(body, str):
                lines = "".join(f"<li>{html.escape(line)}</li>" for line in body.splitlines())
                parts.append(f"<ul>{lines}</ul>")
            elif isinstance(body, dict):
                rows = "".join(
                    f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
                    for name, value in body.items()
                )
                parts.append(f"<table>{rows}</table>")
            else:
                parts.append(body.to_html(float_format=_number, na_rep="", border=0))
        return "\n".join(parts)

    def as_latex(self) -> str:
        """Return the tables of the summary in LaTeX, each under its heading."""
        parts = [f"% {self.title}"]
        for heading, body in self.sections:
            parts.append(f"% {heading}")
            if isinstance(body, dict):
                body = pd.DataFrame({"value": body})
            if isinstance(body, pd.DataFrame):
                parts.append(body.to_latex(float_format=_number, na_rep="", escape=True))
        return "\n".join(parts)

    def as_csv(self) -> str:
        """Return the tables of the summary as comma-separated values, each under its heading."""
        parts = []
        for heading, body in self.sections:
            if isinstance(body, dict):
                body = pd.DataFrame({"value": body})
            if isinstance(body, pd.DataFrame):
                parts += [heading, body.to_csv()]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        return self.as_html()


def summarize(reading: CoefficientReading, origin: Hashable | None = None) -> Summary:
    """Return the summary of a network at an origin; see ``DynamicVAR.summary``."""
    local, dynamics = reading.at(origin), reading.at(origin, part="dynamics")
    residuals = reading.resid_out_of_sample
    is_honest = residuals is not None and len(residuals) >= FEWEST_RESIDUALS
    if residuals is None or not is_honest:
        residuals = reading.resid
    sections: list[tuple[str, Section]] = [
        ("Model", _model(reading, local, dynamics)),
        ("Each series, one step ahead", _by_series(reading, local, dynamics, residuals)),
        (f"Lags of the dynamics at {_label(local.origin)}, squared weight", _lags(dynamics)),
    ]
    if len(residuals) >= FEWEST_RESIDUALS:
        sections.append(("Residuals, all series together (statsmodels)", _tests(residuals)))
    sections.append(("How to read this", _notes(reading, local, residuals, is_honest)))
    return Summary("Dynamic vector autoregression", tuple(sections))


def _model(reading: CoefficientReading, local: LocalVAR, dynamics: LocalVAR) -> dict[str, str]:
    index = reading.index
    covariates = [
        f"{len(names)} {kind}"
        for kind, names in (
            ("past", local.past_names),
            ("future", local.future_names),
            ("static", local.static_names),
        )
        if names
    ]
    return {
        **_forecasters(reading),
        "series": f"{reading.neqs}",
        "covariates": ", ".join(covariates) or "none",
        f"lags that hold {SHARE:.0%} of the weight": f"{dynamics.effective_lags().max()}",
        "order (lags read)": f"{reading.order}",
        "steps forecast at once": f"{reading.patch_length}",
        "history": f"{len(index)} times, {_label(index[0])} to {_label(index[-1])}",
        "origin": _label(local.origin),
        **_learned_from(reading),
    }


def _learned_from(reading: CoefficientReading) -> dict[str, str]:
    """Return which rows the forecast, or each of its members, has learned from."""
    if reading.estimation is not None and not reading.has_trained_network:
        return {f"{name} learned from": rows for name, rows in reading.estimation.rows.items()}
    first = reading.out_of_sample_from
    return {"training saw times before": "not recorded" if first is None else _label(first)}


def _forecasters(reading: CoefficientReading) -> dict[str, str]:
    """Return what makes the forecast: a trained network, or members with the share of each."""
    shares, found = reading.shares, {}
    for name, share in shares.items():
        first, last = share.iloc[[0, -1]].mean(axis=1)
        found[f"share of {name}"] = f"{first:.1%} at step 1"
        if len(share) > 1:
            found[f"share of {name}"] += f", {last:.1%} at step {len(share)}"
    if not shares or reading.has_trained_network:
        config = reading.config
        found["network"] = (
            f"{config.predictor}, {config.n_layers} layers, {config.heads} heads of "
            f"{config.head_width}"
        )
        found["normalisation"] = f"{config.normalization}"
    return found


def _by_series(
    reading: CoefficientReading, local: LocalVAR, dynamics: LocalVAR, residuals: pd.DataFrame
) -> pd.DataFrame:
    names = list(reading.names)
    lags = dynamics.effective_lags()
    table = pd.DataFrame({"forecast": local.forecast, "intercept": local.intercept}, index=names)
    own = np.arange(len(names))
    table["own lag 1"] = local.coefs[0][own, own]
    table["persistence"] = dynamics.persistence()[own, own]
    table[f"lags for {SHARE:.0%}"] = lags
    table["sum beyond"] = sum_beyond(dynamics.coefs, lags.to_numpy())
    if len(residuals) >= 2:
        moves = reading.history.diff().loc[residuals.index]
        error = np.sqrt((residuals**2).mean())
        no_change = np.sqrt((moves**2).mean())
        table["RMSE"] = error
        table["RMSE / no change"] = error / no_change.replace(0, np.nan)
    if len(residuals) >= FEWEST_RESIDUALS:
        diagnostic = require("statsmodels.stats.diagnostic", "the summary's residual tests", "demo")
        stattools = require("statsmodels.stats.stattools", "the summary's residual tests", "demo")
        lags = min(WHITENESS_LAGS, len(residuals) // 5)
        table["Ljung-Box p"] = [
            float(diagnostic.acorr_ljungbox(residuals[name], lags=[lags])["lb_pvalue"].iloc[0])
            if residuals[name].std() > 0
            else np.nan
            for name in names
        ]
        table["Jarque-Bera p"] = [
            float(stattools.jarque_bera(residuals[name])[1])
            if residuals[name].std() > 0
            else np.nan
            for name in names
        ]
    return table


def _lags(dynamics: LocalVAR) -> pd.DataFrame:
    """Return the strongest lags and what they hold, over all responses."""
    shares = dynamics.lag_shares().mean(axis=1)
    strongest = np.argsort(-shares, kind="stable")[:8]
    table = pd.DataFrame(
        {"share of the weight": shares[strongest], "with those above": shares[strongest].cumsum()},
        index=pd.Index(strongest + 1, name="lag"),
    )
    return table


def _tests(residuals: pd.DataFrame) -> pd.DataFrame:
    """Return statsmodels' multivariate tests as a table."""
    white, normal = whiteness(residuals), normality(residuals)
    lags = min(WHITENESS_LAGS, len(residuals) // 5)
    return pd.DataFrame(
        {
            "statistic": [white.test_statistic, normal.test_statistic],
            "df": [white.df, normal.df],
            "p": [white.pvalue, normal.pvalue],
        },
        index=[f"no autocorrelation up to lag {lags} (adjusted portmanteau)", "normality"],
    )


def _notes(
    reading: CoefficientReading, local: LocalVAR, residuals: pd.DataFrame, is_honest: bool
) -> str:
    lines = [
        "The coefficients are the derivative of the forecast at this origin. They foretell small "
        "changes of the data; simulate large ones (irf, girf)."
    ]
    root = local.largest_root()
    verdict = "stable" if root < 1 else "not stable"
    if reading.unit_roots_by_construction:
        lines += [
            "Each window is normalised by its own level, so a constant added to a series comes "
            "out in its forecast: own coefficients sum to one, cross coefficients to zero, and "
            "the VAR has a unit root per series by construction, whatever the data. That says "
            "nothing about the data.",
            "Another series can change the pattern of a forecast, never its level or scale.",
            f"With those roots taken out (transient form), the VAR is {verdict} here: largest "
            f"root {root:.3f} in modulus.",
        ]
        found = local.identities()
        if found is not None and found.hold():
            lines.append("The three identities of window normalisation hold at this origin.")
        elif found is not None:
            lines.append(
                f"CAUTION: the identities of window normalisation fail at this origin ({found}); "
                "a window may be all but constant."
            )
    elif reading.is_anchored:
        linear = "forecast" if reading.shares else "anchor"
        root = reading.largest_root(local.origin)
        verdict = "stable" if root < 1 else "not stable"
        lines.append(
            f"The forecast is in part that of a linear {linear}, whose coefficients are contained "
            "in these. Persistence is the sum of the own coefficients of the dynamics, in which "
            "level, scale and memory of the history are held fixed; the dynamics are "
            f"{verdict} here, largest root {root:.3f} in modulus."
        )
    else:
        lines.append(
            f"Nothing is subtracted from a window, so stability is a finding: the VAR is {verdict} "
            f"here, largest root {root:.3f} in modulus."
        )
    if len(residuals) == 0:
        lines.append(
            "One context of history leaves no residuals: explain more data to see the fit."
        )
    elif is_honest and reading.is_out_of_sample:
        lines.append(
            f"Residuals: {len(residuals)} one-step errors, of which no forecast knew the time or "
            "a later time."
        )
    elif is_honest:
        lines.append(
            f"Residuals: {len(residuals)} one-step errors of times that training did not see."
        )
    else:
        lines.append(
            f"Residuals: {len(residuals)} one-step errors; training may have seen these times, so "
            "they may flatter."
        )
    lines.append(
        "The weight of a lag is squared, in standard deviations of the series: its share of the "
        "variance that independent errors in the rows would bring into the forecast. Persistence "
        f"sums over all lags; what of it stands beyond those for {SHARE:.0%} is 'sum beyond'."
    )
    lines.append(
        "No standard errors: least-squares formulas do not hold for this forecast. bands='local' "
        "says where the process may lie, bands='bootstrap' how the reading moves with the sample."
    )
    return "\n".join(lines)


def _label(label: Any) -> str:
    if isinstance(label, pd.Timestamp):
        return str(label.date()) if label == label.normalize() else str(label)
    return str(label)


def _number(value: float) -> str:
    return f"{value:.4g}"


def _wrapped(line: str) -> str:
    return textwrap.fill(line, WIDTH, initial_indent="- ", subsequent_indent="  ")
