"""The data sets of the tasks, made from the folder of the benchmarks' series (``core``, ``extra``).

Their licences let them be used here, not shipped: ETT is CC BY-ND, the weather of Jena and the
series of FRED state none.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

Items = dict[str, pd.DataFrame]


def _table(folder: Path, name: str, **options: object) -> pd.DataFrame:
    return pd.read_csv(folder / f"{name}.csv.gz", index_col=0, **options)


def transformers(folder: Path, freq: str) -> Items:
    """Two transformers; days and weeks are means of hours, without the first and the last."""
    items = {}
    for number in (1, 2):
        hours = _table(folder, f"core/ETTh{number}", parse_dates=True)
        items[f"ETT{number}"] = hours if freq == "h" else hours.resample(freq).mean().iloc[1:-1]
    return items


def fred(folder: Path, name: str, freq: str) -> Items:
    """The last vintage at hand, which is later than that of the published scores, to June 2025."""
    frame = _table(folder, f"extra/{name}")
    frame.index = pd.date_range(frame.index[0], periods=len(frame), freq=freq)
    return {name: frame.loc[:"2025-06"]}


def weather(folder: Path, freq: str) -> Items:
    """Jena in 2020: a stamp that stands twice counts once, what is missing stays missing."""
    frame = _table(folder, "core/weather", parse_dates=True)
    frame.columns = [f"target_{number}" for number in range(frame.shape[1])]
    frame = frame[~frame.index.duplicated()].asfreq("10min")
    return {"jena": frame if freq == "10min" else frame.resample(freq).mean().iloc[:-1]}


DATASETS: dict[str, Callable[[Path], Items]] = {
    "ETT_1H": lambda folder: transformers(folder, "h"),
    "ETT_1D": lambda folder: transformers(folder, "D"),
    "ETT_1W": lambda folder: transformers(folder, "W-SUN"),
    "fred_md_2025": lambda folder: fred(folder, "fred_md_2025m08", "MS"),
    "fred_qd_2025": lambda folder: fred(folder, "fred_qd_2025q2", "QS-MAR"),
    "jena_weather_10T": lambda folder: weather(folder, "10min"),
    "jena_weather_1H": lambda folder: weather(folder, "h"),
    "jena_weather_1D": lambda folder: weather(folder, "D"),
}


def rebuild(name: str, folder: Path, out: Path) -> Path:
    """Write a data set as the table that fev reads, if it is not there, and return its path."""
    path = out / f"{name}.parquet"
    if path.exists():
        return path
    parts = []
    for item, frame in DATASETS[name](folder).items():
        keys = pd.DataFrame({"id": item, "timestamp": frame.index.astype("datetime64[ns]")})
        parts.append(pd.concat([keys, frame.astype(float).reset_index(drop=True)], axis=1))
    out.mkdir(parents=True, exist_ok=True)
    pd.concat(parts, ignore_index=True).to_parquet(path, index=False)
    return path
