"""Series below one another, as engines hand them over."""

from __future__ import annotations

import numpy as np
import pandas as pd


def long_frame(lengths, start="2020-01-01", freq="MS") -> pd.DataFrame:
    """Return a random walk for each length, named s0, s1, ..."""
    rng = np.random.default_rng(0)
    parts = [
        pd.DataFrame(
            {
                "unique_id": f"s{number}",
                "ds": pd.date_range(start, periods=length, freq=freq),
                "y": rng.normal(size=length).cumsum(),
            }
        )
        for number, length in enumerate(lengths)
    ]
    return pd.concat(parts, ignore_index=True)


def last_values(frame, horizon, interval=0.8, freq=None) -> pd.DataFrame:
    """Stand in for the forecast where a test is about files and rows."""
    last = frame.groupby("unique_id", sort=False).tail(1)
    ahead = last.loc[last.index.repeat(horizon)].reset_index(drop=True)
    return ahead.rename(columns={"y": "forecast"})
