"""The sets of the long-horizon literature, their splits, and the errors on every window.

Letters: n rows, C series, L look-back, s horizon, B windows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view

from benchmarks.command import folder_of_series
from benchmarks.records import BenchmarkError

Forecast = Callable[[np.ndarray], Mapping[str, np.ndarray]]
"""From windows (B, L, C) to the forecasts of a few rows of the table, (B, s, C) each."""

STANDARD_SHARES = (0.7, 0.1, 0.2)
_MONTHS = (12, 4, 4)
_TRAIN_WINDOWS_AT_LEAST = 0.25  # of the training rows: a longer look-back is not tried


@dataclass(frozen=True)
class LongSet:
    """A data set: where it lies, what time a row takes, and how it is split.

    `steps_a_month` is that of the sets split into 12, 4 and 4 months of 30 days; the others are
    split 70/10/20. `season` is what the seasonal naive forecast repeats.
    """

    path: str
    title: str
    freq: str
    season: int
    steps_a_month: int | None = None
    horizons: tuple[int, ...] = (96, 192, 336, 720)
    lookbacks: tuple[int, ...] = (336, 512, 1024, 2048)


SETS = {
    "ETTh1": LongSet("core/ETTh1.csv.gz", "transformer 1, hourly", "h", 24, 30 * 24),
    "ETTh2": LongSet("core/ETTh2.csv.gz", "transformer 2, hourly", "h", 24, 30 * 24),
    "ETTm1": LongSet("core/ETTm1.csv.gz", "transformer 1, 15 minutes", "15min", 96, 30 * 96),
    "weather": LongSet("core/weather.csv.gz", "weather in Jena, 10 minutes", "10min", 144),
    "exchange": LongSet("core/exchange_rate.csv.gz", "exchange rates, daily", "D", 1),
    "illness": LongSet(
        "core/national_illness.csv.gz",
        "illness, weekly",
        "7D",
        52,
        horizons=(24, 36, 48, 60),
        lookbacks=(36, 60, 104, 156),
    ),
}


@dataclass(frozen=True, eq=False)
class Task:
    """A scaled set, a horizon, and three stretches of rows: training, validation, test.

    Parameters
    ----------
    name : str
    horizon : int
    values : array of shape (n, C)
        In deviations of the training rows from their mean.
    columns : tuple of str
    borders : (int, int, int)
        Row after the last of each stretch. What is forecast from a window lies in a single stretch;
        the window may look back over the border.
    freq : str or None
    season : int
    digest : str
        Of the file's numbers.
    """

    name: str
    horizon: int
    values: np.ndarray
    columns: tuple[str, ...]
    borders: tuple[int, int, int]
    freq: str | None
    season: int
    digest: str

    @classmethod
    def of(
        cls,
        name: str,
        horizon: int,
        frame: pd.DataFrame,
        borders: tuple[int, int, int],
        freq: str | None,
        season: int,
    ) -> Task:
        """Scale a frame by its training rows alone."""
        raw = frame.to_numpy(dtype=np.float64)
        if not np.isfinite(raw).all():
            raise BenchmarkError(
                f"{name} has missing values; every model here wants complete rows: fill them first"
            )
        train = raw[: borders[0]]
        deviation = train.std(axis=0)
        values = (raw - train.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0)
        digest = hashlib.sha256(raw.tobytes()).hexdigest()[:16]
        columns = tuple(str(column) for column in frame.columns)
        return cls(name, horizon, values[: borders[2]], columns, borders, freq, season, digest)

    @property
    def n_series(self) -> int:
        """C."""
        return self.values.shape[1]

    def rows(self, part: str) -> np.ndarray:
        """The rows of a stretch; part is "train", "validation" or "test"."""
        return self.values[slice(*self._stretch(part))]

    def known(self) -> np.ndarray:
        """Training and validation rows."""
        return self.values[: self.borders[1]]

    def frame(self) -> pd.DataFrame:
        """Training and validation rows under a regular index."""
        n_rows = self.borders[1]
        index = pd.RangeIndex(n_rows)
        if self.freq is not None:
            index = pd.date_range("2000-01-01", periods=n_rows, freq=self.freq)
        return pd.DataFrame(self.known(), index, list(self.columns))

    def origins(self, part: str) -> np.ndarray:
        """Every row from which the whole horizon lies in a stretch: stride 1, none dropped."""
        start, stop = self._stretch(part)
        return np.arange(start, stop - self.horizon + 1)

    def allows(self, lookback: int) -> bool:
        """Whether the training rows leave enough windows of that look-back to learn from."""
        n_windows = self.borders[0] - lookback - self.horizon + 1
        return n_windows >= _TRAIN_WINDOWS_AT_LEAST * self.borders[0]

    def windows(
        self, part: str, lookback: int, at_once: int, stride: int = 1
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield windows (B, L, C) and what follows them (B, s, C)."""
        origins = self.origins(part)[::stride]
        if not len(origins):
            raise BenchmarkError(
                f"the {part} rows of {self.name} are fewer than the horizon {self.horizon}"
            )
        past = sliding_window_view(self.values, lookback, axis=0)  # rows C L
        ahead = sliding_window_view(self.values, self.horizon, axis=0)
        for first in range(0, len(origins), at_once):
            some = origins[first : first + at_once]
            yield past[some - lookback].swapaxes(1, 2), ahead[some].swapaxes(1, 2)

    def score(
        self, forecast: Forecast, part: str, lookback: int, at_once: int = 32, stride: int = 1
    ) -> dict[str, dict[str, float]]:
        """MSE and MAE over windows, steps and series of a stretch, by row of the table."""
        squares: dict[str, float] = {}
        sizes: dict[str, float] = {}
        count = 0
        for windows, actual in self.windows(part, lookback, at_once, stride):
            count += actual.size
            for name, found in forecast(windows).items():
                error = np.asarray(found, dtype=np.float64) - actual
                squares[name] = squares.get(name, 0.0) + float(np.square(error).sum())
                sizes[name] = sizes.get(name, 0.0) + float(np.abs(error).sum())
        return {
            name: {"MSE": squares[name] / count, "MAE": sizes[name] / count} for name in squares
        }

    def _stretch(self, part: str) -> tuple[int, int]:
        train, validation, test = self.borders
        return {"train": (0, train), "validation": (train, validation), "test": (validation, test)}[
            part
        ]


@dataclass(frozen=True)
class Asked:
    """What a row is fitted with, beside the task.

    Attributes
    ----------
    lookback, seed : int
    device, checkpoint_dir
        As in `samovar_forecast.learning.training.fit_network`.
    """

    lookback: int
    seed: int
    device: str = "auto"
    checkpoint_dir: Path | None = None


def borders_of(
    n_rows: int, shares: tuple[float, float, float], steps_a_month: int | None = None
) -> tuple[int, int, int]:
    """Borders in months of 30 days, or in shares of the rows as the literature rounds them."""
    if steps_a_month is not None:
        ends = np.cumsum(_MONTHS) * steps_a_month
        if ends[-1] > n_rows:
            raise BenchmarkError(f"found {n_rows} rows, wanted {ends[-1]}: not the standard file")
        return int(ends[0]), int(ends[1]), int(ends[2])
    if abs(sum(shares) - 1) > 1e-9 or min(shares) <= 0:
        raise BenchmarkError(f"the shares of the split are {shares}; they must sum to 1")
    n_train, n_test = int(n_rows * shares[0]), int(n_rows * shares[2])
    return n_train, n_rows - n_test, n_rows


def load_task(
    dataset: str,
    horizon: int,
    folder: Path | None,
    shares: tuple[float, float, float] | None = None,
    season: int | None = None,
) -> Task:
    """Read a set by its name here, or a CSV of the user's by its path.

    Raises
    ------
    BenchmarkError
        If the file is not there or cannot be split.
    """
    known = SETS.get(dataset)
    path = Path(dataset) if known is None else folder_of_series(folder) / known.path
    if not path.is_file():
        raise BenchmarkError(
            f"{path} is not there; give --data FOLDER with the known sets {sorted(SETS)}, or the "
            "path of a CSV with time in its first column"
        )
    frame = pd.read_csv(path, index_col=0, encoding_errors="replace")
    if known is not None:
        borders = borders_of(len(frame), shares or STANDARD_SHARES, known.steps_a_month)
        return Task.of(dataset, horizon, frame, borders, known.freq, season or known.season)
    borders = borders_of(len(frame), shares or STANDARD_SHARES)
    freq = _freq_of(frame.index)
    name = path.name.split(".")[0]
    return Task.of(name, horizon, frame, borders, freq, season or 1)


def _freq_of(index: pd.Index) -> str | None:
    try:
        return pd.infer_freq(pd.to_datetime(index))
    except (ValueError, TypeError):
        return None
