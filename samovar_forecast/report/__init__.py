"""A comparison, or a forecast, as one HTML page that opens anywhere, without a network.

`write_report` fills a jinja2 template with the tables of a `Comparison` and with its figures as
inline SVG or PNG. The page has no script and fetches nothing; its own policy forbids both.
"""

from __future__ import annotations

from samovar_forecast.report.forecast_page import write_forecast_report
from samovar_forecast.report.page import render_report, write_report

__all__ = ["render_report", "write_forecast_report", "write_report"]
