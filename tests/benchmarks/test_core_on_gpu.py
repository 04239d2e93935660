"""The rows of a GPU: skipped where there is none, and their arithmetic on the CPU."""

from __future__ import annotations

import pytest
import torch

from benchmarks import core, core_on_gpu

SMALL = core.Case(2, 16, 4, 2, 8, 2, 2, n_steps=1, n_single=1, n_windows=2)
CPU = torch.device("cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_its_rows_are_skipped_with_the_reason(capsys, tmp_path):
    asked = ["--device", "cuda", "--results", str(tmp_path / "core.json")]
    assert core.BENCHMARK.main(asked) == 0
    assert "skipped: torch finds no CUDA device" in capsys.readouterr().out


def test_each_form_has_a_row_with_its_share_of_the_matrix_rate(monkeypatch):
    forms = [form for form in core_on_gpu.FORMS if not form[1]]
    monkeypatch.setattr(core_on_gpu, "FORMS", forms)
    rates = dict.fromkeys(core_on_gpu.LARGEST_DIFFERENCE, 1e9)
    rows = list(core_on_gpu.rows_of("small", SMALL, CPU, rates))
    assert [row[2] for row in rows[::2]] == [
        "plain, eager, float32",
        "core, eager, float32",
        "core, eager, bfloat16",
    ]
    assert {row[1] for row in rows} == {"training step", "forecast"}
    assert rows[0][4] == rows[1][4] == "1.00x"
    assert all(row[5].endswith("%") for row in rows)


def test_a_form_that_forecasts_something_else_is_not_timed(monkeypatch):
    monkeypatch.setattr(core_on_gpu, "LARGEST_DIFFERENCE", dict.fromkeys([torch.float32], -1.0))
    with pytest.raises(core_on_gpu.BenchmarkError, match="not timed"):
        list(core_on_gpu.rows_of("small", SMALL, CPU, {torch.float32: 1e9}))


def test_the_operations_of_a_product_are_counted():
    left, right = torch.randn(3, 4), torch.randn(4, 5)
    assert core_on_gpu.operations_of(lambda: left @ right) == 2 * 3 * 4 * 5
    assert core_on_gpu.matrix_rate(CPU, torch.float32, width=8) > 0


@pytest.mark.slow
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_eager_and_compiled_forms_agree_on_the_gpu():
    assert "core, compiled, bfloat16" in core_on_gpu.table({"small": SMALL}, torch.device("cuda"))
