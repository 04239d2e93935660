"""The measurements of the benchmarks: turns, ratios, memory."""

from __future__ import annotations

import json
import time

import pytest
import torch

from benchmarks import harness
from benchmarks.harness import Samples
from benchmarks.records import BenchmarkError, cpu_name


def test_jobs_take_turns_and_the_order_is_reversed_in_every_second_round():
    calls = []
    samples = harness.interleave(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3, warmup=1
    )
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert {name: len(one.cpu) for name, one in samples.items()} == {"a": 3, "b": 3}


def test_interleaving_runs_on_one_thread_and_gives_the_threads_back():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen = []
        harness.interleave({"a": lambda: seen.append(torch.get_num_threads())}, repeats=1)
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_cpu_time_counts_work_and_not_waiting():
    def work():
        end = time.process_time() + 0.05
        while time.process_time() < end:
            pass

    samples = harness.interleave({"work": work, "wait": lambda: time.sleep(0.05)}, repeats=1)
    assert samples["work"].median >= 0.05
    assert samples["wait"].median < 0.02
    assert samples["wait"].wall[0] >= 0.05


def test_speed_up_is_the_ratio_of_medians_with_the_quartiles_of_the_rounds():
    slow, fast = Samples(cpu=[4.0, 6.0, 8.0]), Samples(cpu=[2.0, 2.0, 2.0])
    ratio = harness.speed_up(slow, fast)
    assert (ratio.value, ratio.low, ratio.high) == (3.0, 2.5, 3.5)
    uneven = Samples(cpu=[1.0, 1.0, 4.0])
    assert harness.speed_up(slow, uneven, of="total").value == 3.0


def test_peak_memory_is_exact_for_tensors_of_known_size():
    kept_before = torch.zeros(3_000_000)

    def call():
        first = torch.ones(1_000_000)  # 4 MB
        second = torch.ones(500_000)  # 2 MB
        del first
        return second + 1 + kept_before[0]  # 2 MB twice on top of 2 MB

    assert harness.peak_tensor_bytes(call) == pytest.approx(6e6, abs=1000)


def test_peak_memory_sees_the_backward_pass():
    weight = torch.zeros(1_000_000, requires_grad=True)  # 4 MB

    def call():
        (weight * 2).sum().backward()  # forward 4 MB, freed; backward: its gradient, 4 MB
        weight.grad = None

    peak = harness.peak_tensor_bytes(call)
    assert 4e6 <= peak <= 12.1e6
    with torch.no_grad():
        assert harness.peak_tensor_bytes(lambda: weight * 2) == pytest.approx(4e6, abs=1000)


def test_a_fresh_process_returns_what_the_function_returns():
    facts = harness.in_fresh_process("benchmarks.records:cpu_name")
    assert facts == cpu_name()


def test_a_failing_process_is_an_error_that_says_what_happened():
    with pytest.raises(BenchmarkError, match="no_such_name"):
        harness.in_fresh_process("benchmarks.harness:no_such_name")


def test_samples_survive_json():
    samples = {"a": Samples(cpu=[0.25, 0.5], wall=[1.0, 2.0])}
    assert harness.from_json(json.loads(json.dumps(harness.to_json(samples)))) == samples
