"""The recorded leaderboard names every model, and says where it comes from."""

from __future__ import annotations

from benchmarks import demo
from benchmarks.records import Records


def test_the_record_names_every_model_with_its_errors():
    entry = Records(demo.BENCHMARK.path).entries["demo"]
    text = "\n".join(entry["printed"])
    ours = ("SAMoVAR", "SAMoVAR zero-shot", "SAMoVAR linear")
    for model in (*ours, "VAR", "Ridge VAR", "TVP-VAR", "Rolling VAR", "AR", "Naive"):
        assert any(line.startswith(model + " ") for line in entry["printed"]), model
    assert "10 origins" in text
    assert entry["commit"]
