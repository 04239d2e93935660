"""Sales of a kiosk, simulated: the file that the quick start of the terminal forecasts.

Run: python examples/kiosk.py      # writes kiosk.csv

Five years of business days as a German spreadsheet writes them: semicolons, decimal commas, points
between thousands. The kiosk is closed on weekends and holidays, and a few cells are empty.
"""

from pathlib import Path

import numpy as np
import pandas as pd

FIXED_HOLIDAYS = ("01-01", "05-01", "10-03", "12-25", "12-26", "12-31")
EASTER = ("2019-04-21", "2020-04-12", "2021-04-04", "2022-04-17", "2023-04-09")
DAYS_FROM_EASTER = (-2, 1, 39, 50, 60)


def german(number: float) -> str:
    """Return a number as a German spreadsheet shows it: 1234.5 as 1.234,50."""
    return f"{number:,.2f}".translate(str.maketrans(",.", ".,"))


def rows() -> pd.DataFrame:
    """Return sales and guests of the days on which the kiosk is open."""
    rng = np.random.default_rng(20)
    days = pd.bdate_range("2019-01-02", "2023-12-29")
    closed = [pd.Timestamp(day) + pd.Timedelta(days=k) for day in EASTER for k in DAYS_FROM_EASTER]
    days = days[~days.strftime("%m-%d").isin(FIXED_HOLIDAYS) & ~days.isin(closed)]
    year = 2 * np.pi * days.dayofyear.to_numpy() / 365.25
    weekday = np.array([-6.0, -4.0, 0.0, 2.0, 12.0])[days.dayofweek]
    drift = np.zeros(len(days))  # what lasts for some days: weather, a building site
    for row in range(1, len(days)):
        drift[row] = 0.8 * drift[row - 1] + rng.normal(scale=3.0)
    guests = 150 + 0.03 * np.arange(len(days)) - 14 * np.cos(year) + weekday + drift
    guests = np.round(guests + rng.normal(scale=3.0, size=len(days)))
    price = 6.2 * 1.03 ** (np.arange(len(days)) / 252)  # three percent dearer each year
    sales = np.round(guests * price + rng.normal(scale=25.0, size=len(days)), 2)
    table = pd.DataFrame({"Umsatz": sales, "Gäste": guests}, index=days)
    for column in table:
        table.loc[rng.choice(table.index, size=4, replace=False), column] = np.nan
    return table


def main() -> None:
    """Write the file."""
    lines = ["Tag;Umsatz;Gäste"]
    for day, (sales, guests) in zip(rows().index, rows().to_numpy(), strict=True):
        cells = [
            "" if np.isnan(sales) else german(sales),
            "" if np.isnan(guests) else f"{guests:g}",
        ]
        lines.append(";".join([f"{day:%d.%m.%Y}", *cells]))
    Path("kiosk.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("kiosk.csv")


if __name__ == "__main__":
    main()
