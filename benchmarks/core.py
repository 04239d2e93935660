"""``python -m benchmarks.core``: our network against a plain implementation, side by side.

The plain implementation (`benchmarks.plain_model`) materialises the running sum of the attention
and computes every layer at every token. Both get the same weights, the same windows, the same loss
and the same optimiser, and are refused if they do not forecast the same. What is measured and how
is in ``benchmarks/README.md``.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from benchmarks import harness
from benchmarks.command import Benchmark
from benchmarks.core_pages import (
    CONTESTANTS,
    MEMORY,
    MIXED,
    ONE,
    PRODUCTS,
    STEP,
    THOUSAND,
    pictures_of,
    sections,
)
from benchmarks.core_products import products_of_step
from benchmarks.harness import Samples
from benchmarks.plain_model import PlainSAMoVAR, plain_loss
from benchmarks.records import BenchmarkError, Records, fingerprint, provenance
from samovar_forecast.config import NetworkConfig
from samovar_forecast.network import SAMoVARNetwork, samovar_loss
from samovar_forecast.process import one_thread

SOURCES = (
    "samovar_forecast/config.py",
    "samovar_forecast/network",
    "benchmarks/core.py",
    "benchmarks/core_products.py",
    "benchmarks/harness.py",
    "benchmarks/plain_model.py",
)
LARGEST_DISAGREEMENT = 1e-3  # relative; float32 rounding is 1e-5


@dataclass(frozen=True)
class Case:
    """A configuration: shapes, and how often it is measured."""

    n_series: int
    context_length: int
    patch_length: int
    batch: int
    d_model: int
    n_heads: int
    inference_batch: int
    n_steps: int
    n_single: int
    n_windows: int = 1000


CASES = {
    "A": Case(7, 1024, 96, 32, 64, 8, 32, n_steps=31, n_single=301),
    "B": Case(21, 2048, 192, 8, 128, 8, 8, n_steps=15, n_single=101),
    "C": Case(2, 64, 1, 256, 32, 2, 32, n_steps=9, n_single=301),
    "D": Case(100, 512, 24, 4, 320, 8, 8, n_steps=4, n_single=7, n_windows=40),
}


# --- the contestants ------------------------------------------------------------------------------


class Contestant:
    """An implementation under a case: its training step and its forecast.

    Both implementations are driven by the same code, so that they differ in the network alone:
    AdamW as the paper trains (weight decay 0.1 on all, gradients clipped to norm 1), dropout 0.1.
    """

    def __init__(self, name: str, case: Case) -> None:
        torch.manual_seed(0)
        plain = build_plain(case)
        self.network: nn.Module = plain if name == "plain" else build_core(case, plain)
        self.is_plain = name == "plain"
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), lr=6e-4, betas=(0.9, 0.95), weight_decay=0.1
        )

    def loss(self, window: Tensor, future: Tensor) -> Tensor:
        """Return terminal plus next-patch loss."""
        output = self.network(window)
        if self.is_plain:
            return plain_loss(output, future)
        return samovar_loss(output, future).total

    def step(self, window: Tensor, future: Tensor, *, mixed: bool = False) -> None:
        """Take a training step; in mixed precision the large products are in bfloat16."""
        self.optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = self.loss(window, future)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()

    @torch.inference_mode()
    def forecast(self, window: Tensor) -> Tensor:
        """Return the patch after each window, shape (B, s, C)."""
        if self.is_plain:
            return self.network(window).forecast
        return self.network(window, last_only=True).forecast[..., 0]


def build_plain(case: Case) -> PlainSAMoVAR:
    """Return the plain implementation, with weights from the global random state."""
    return PlainSAMoVAR(
        n_channels=case.n_series,
        context_length=case.context_length,
        patch_length=case.patch_length,
        d_model=case.d_model,
        n_heads=case.n_heads,
    )


def build_core(case: Case, plain: PlainSAMoVAR) -> SAMoVARNetwork:
    """Return our network, with the weights of the plain network."""
    network = SAMoVARNetwork(
        NetworkConfig(
            n_series=case.n_series,
            context_length=case.context_length,
            patch_length=case.patch_length,
            d_model=case.d_model,
            n_heads=case.n_heads,
        )
    )
    weights = plain.state_dict()
    layers = range(network.config.n_layers)

    def of_all_layers(name: str) -> Tensor:  # queries of all layers, then values of all layers
        roles = ("query", "value")
        return torch.stack([weights[f"var.{m}.{role}{name}"] for role in roles for m in layers])

    with torch.no_grad():
        for name, parameter in network.named_parameters():
            plain_name = name.removeprefix("tokenizer.").removeprefix("predictor.")
            if plain_name.startswith("projection"):
                source = of_all_layers(plain_name.removeprefix("projection"))
            else:
                source = weights[plain_name]
            parameter.copy_(source.reshape(parameter.shape))
    return network


def random_walks(case: Case, n_windows: int, seed: int = 1) -> tuple[Tensor, Tensor]:
    """Return windows (B, L, C) and what follows (B, s, C): random walks scaled to about 1."""
    generator = torch.Generator().manual_seed(seed)
    n_time = case.context_length + case.patch_length
    steps = torch.randn(n_windows, n_time, case.n_series, generator=generator)
    walks = steps.cumsum(1) / case.context_length**0.5
    window, future = walks.split([case.context_length, case.patch_length], dim=1)
    return window.contiguous(), future.contiguous()


def check_agreement(name: str, case: Case, contestants: dict[str, Contestant]) -> dict[str, float]:
    """Return the largest relative differences in forecast, loss and gradient norm.

    Raises
    ------
    BenchmarkError
        If a difference is above 1e-3: the two do not compute the same, and times say nothing.
    """
    window, future = random_walks(case, 2, seed=2)
    found: dict[str, dict[str, Tensor]] = {}
    for who, contestant in contestants.items():
        contestant.network.eval()
        loss = contestant.loss(window, future)
        loss.backward()
        found[who] = {
            "forecast": contestant.forecast(window) - window[:, -1:],
            "loss": loss.detach(),
            "gradient norm": torch.nn.utils.get_total_norm(
                [p.grad for p in contestant.network.parameters() if p.grad is not None]
            ),
        }
        contestant.optimizer.zero_grad()
    differences = {}
    for what, wanted in found["plain"].items():
        differences[what] = float((found["core"][what] - wanted).abs().max() / wanted.abs().max())
        if not differences[what] <= LARGEST_DISAGREEMENT:
            raise BenchmarkError(
                f"case {name}: the two implementations disagree in the {what} by "
                f"{differences[what]:.1e}, above {LARGEST_DISAGREEMENT}; not timed. "
                "Run the golden tests of both first."
            )
    return differences


# --- what is measured -----------------------------------------------------------------------------


def measure_step(contestants: dict[str, Contestant], case: Case) -> dict[str, Samples]:
    """Return the seconds of a training step, of ours in mixed precision, and of its products."""
    window, future = random_walks(case, case.batch)
    for contestant in contestants.values():
        contestant.network.train()
    jobs = {who: partial(each.step, window, future) for who, each in contestants.items()}
    jobs[MIXED] = partial(contestants["core"].step, window, future, mixed=True)
    jobs[PRODUCTS] = products_of_step(case)
    return harness.interleave(jobs, repeats=case.n_steps)


def measure_one_window(contestants: dict[str, Contestant], case: Case) -> dict[str, Samples]:
    """Return the seconds of the forecast of a single window."""
    window, _ = random_walks(case, 1)
    for contestant in contestants.values():
        contestant.network.eval()
    return harness.interleave(
        {who: partial(each.forecast, window) for who, each in contestants.items()},
        repeats=case.n_single,
        warmup=min(10, 1 + case.n_single // 10),
    )


def measure_many_windows(contestants: dict[str, Contestant], case: Case) -> dict[str, Samples]:
    """Return the seconds of the forecasts of `n_windows` windows, a sample a batch."""
    windows, _ = random_walks(case, case.n_windows)
    batches = windows.split(case.inference_batch)

    def in_turn(contestant: Contestant) -> Iterator[None]:
        # The round of warm-up takes the first batch too.
        for batch in itertools.chain(batches[:1], batches):
            contestant.forecast(batch)
            yield

    for contestant in contestants.values():
        contestant.network.eval()
    turns = {who: in_turn(contestant) for who, contestant in contestants.items()}
    return harness.interleave(
        {who: partial(next, turn) for who, turn in turns.items()},
        repeats=len(batches),
    )


def peak_memory(contestant: str, case: dict[str, Any]) -> dict[str, int | None]:
    """Return the peak bytes of a training step above the model; in a process of its own.

    Two steps: the first also creates the optimiser's averages and gives the growth of the process,
    the second is steady and gives the bytes that torch holds.
    """
    shape = Case(**case)
    chosen = Contestant(contestant, shape)
    window, future = random_walks(shape, shape.batch)
    chosen.network.train()

    def step() -> None:
        chosen.step(window, future)
        chosen.optimizer.zero_grad()

    resident = harness.peak_resident_bytes(step)
    return {"tensors": harness.peak_tensor_bytes(step), "resident": resident}


def measure_memory(case: Case, tick: Callable[[], object]) -> dict[str, Any]:
    """Return the peak memory of a training step, each implementation in its own process."""
    found = {}
    for who in CONTESTANTS:
        found[who] = harness.in_fresh_process(
            "benchmarks.core:peak_memory", contestant=who, case=asdict(case)
        )
        tick()
    return found


# --- the run --------------------------------------------------------------------------------------


def chosen_cases(asked: argparse.Namespace) -> dict[str, Case]:
    """Return the cases that are asked for, with as many repetitions as are asked for."""
    cases = {name: CASES[name] for name in asked.cases}
    if asked.repeats is None:
        return cases
    if asked.repeats < 1:
        raise BenchmarkError(f"--repeats must be at least 1, found {asked.repeats}")
    n_windows = asked.repeats * min(case.inference_batch for case in cases.values())
    return {
        name: dataclasses.replace(
            case,
            n_steps=min(case.n_steps, asked.repeats),
            n_single=min(case.n_single, asked.repeats),
            n_windows=min(case.n_windows, n_windows),
        )
        for name, case in cases.items()
    }


def measure(records: Records, asked: argparse.Namespace) -> None:
    """Measure what is not yet measured, case by case; on a GPU, print and store nothing."""
    if asked.device == "cpu":
        run(chosen_cases(asked), records)
    elif not torch.cuda.is_available():
        print("GPU rows are skipped: torch finds no CUDA device here\n", flush=True)
    else:
        from benchmarks.core_on_gpu import table  # it builds on this module

        print(f"{table(chosen_cases(asked), torch.device('cuda'))}\n", flush=True)


def run(cases: dict[str, Case], records: Records) -> None:
    """Measure what the records lack of these cases."""
    words = {name: fingerprint(asdict(case), sources=SOURCES) for name, case in cases.items()}
    records.begin(words, provenance())
    for name, case in cases.items():
        records.entries[name].setdefault("case", asdict(case))
        timed = {STEP: measure_step, ONE: measure_one_window, THOUSAND: measure_many_windows}
        with one_thread(), tqdm(total=4 + len(CONTESTANTS), desc=f"case {name}") as bar:
            contestants = {who: Contestant(who, case) for who in CONTESTANTS}
            check = partial(check_agreement, name, case, contestants)
            records.measured(name, "differences", check)
            bar.update()
            for what, measure_it in timed.items():
                bar.set_postfix_str(what)
                time_it = partial(measure_it, contestants, case)
                records.measured(name, what, lambda call=time_it: harness.to_json(call()))
                bar.update()
            contestants.clear()
            bar.set_postfix_str(MEMORY)
            records.measured(name, MEMORY, partial(measure_memory, case, bar.update))
        records.finish(name)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Give a parser the options of this benchmark."""
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument(
        "--repeats", type=int, help="at most so many steps, single windows and batches"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="what computes")


BENCHMARK = Benchmark("core", __doc__, measure, sections, add_options, pictures_of)

if __name__ == "__main__":
    raise SystemExit(BENCHMARK.main())
