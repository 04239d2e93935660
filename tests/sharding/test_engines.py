"""The recipes of the page, each on a local cluster of its engine."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

from samovar_forecast import forecast_long_frame
from tests.builders.long_frames import long_frame

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
LENGTHS = (24, 30, 24, 36, 20, 30)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]  # of the engines


def recipe(engine: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```python {engine}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(block.splitlines()) <= 10
    return block


@pytest.mark.parametrize("engine", ["dask", "ray", "spark"])
def test_each_partition_is_forecast_as_it_is_here(engine, tmp_path, monkeypatch):
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    package = {"dask": "dask.dataframe", "ray": "ray.data", "spark": "pyspark.sql"}[engine]
    pytest.importorskip(package, reason=f"{package} is not installed")
    if engine == "spark" and not (shutil.which("java") or "JAVA_HOME" in os.environ):
        pytest.skip("Spark runs in Java, which is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(PAGE.parents[1]))  # for the engine's own processes
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "600")  # on a busy machine
    frame = long_frame(LENGTHS)
    frame.assign(ds=frame["ds"].astype("datetime64[us]")).to_parquet(
        "series.parquet", index=False, row_group_size=50
    )
    names: dict[str, object] = {}
    try:
        exec(compile(recipe(engine), str(PAGE), "exec"), names)
    finally:  # clusters outlive a recipe
        for cluster, stop in (("ray", "shutdown"), ("spark", "stop")):
            if cluster in names:
                getattr(names[cluster], stop)()
    seen: list[str] = []
    for file in sorted(tmp_path.glob("ahead/**/*.parquet")):
        found = pd.read_parquet(file)
        own = list(dict.fromkeys(found["unique_id"]))
        seen += own
        rows = frame[frame["unique_id"].isin(own)]
        wanted = forecast_long_frame(rows, 12, freq="MS")
        pd.testing.assert_frame_equal(
            found.reset_index(drop=True), wanted, check_dtype=False, rtol=1e-6
        )
    assert sorted(seen) == sorted(set(frame["unique_id"]))
