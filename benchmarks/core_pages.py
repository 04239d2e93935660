"""What `benchmarks.core` measured, beside what is asked: the table, the cases, the picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import core_pictures, harness
from benchmarks.harness import Ratio
from benchmarks.pages import markdown_table
from benchmarks.pictures import Picture, shown
from benchmarks.records import Records

CONTESTANTS = ("plain", "core")
PRODUCTS, MIXED = "products", "mixed"
STEP, IN_MIXED, ONE, THOUSAND, MEMORY, BOUND = (
    "training step",
    "training step, bfloat16",
    "one window",
    "1,000 windows",
    "peak training memory",
    "products of a step alone",
)
TO_REACH = {
    STEP: {"A": 4.0, "B": 4.0, "C": 4.0, "D": 4.0},
    IN_MIXED: {"A": 4.0, "B": 4.0, "C": 4.0, "D": 4.0},
    BOUND: {"A": 1.8, "B": 1.8, "C": 1.8, "D": 1.8},
    ONE: {"A": 3.0, "B": 3.0, "C": 3.0, "D": 3.0},
    THOUSAND: {"A": 1.8, "B": 2.7, "C": 3.0, "D": 2.5},
    MEMORY: {"A": 0.6, "B": 0.45, "C": 0.75, "D": 0.6},
}
"""Asked of each case: times as fast as the plain implementation at least; of the products, times
that the step may take of them; of the memory, the share of the plain implementation's at most."""
TITLES = {
    STEP: "training step: times as fast as plain",
    IN_MIXED: "training step, bfloat16: times as fast as plain",
    BOUND: "training step: times its products",
    ONE: "one window: times as fast as plain",
    THOUSAND: "1,000 windows: times as fast as plain",
    MEMORY: "training memory: share of plain",
}


@dataclass(frozen=True)
class Measure:
    """What a case took beside what is asked of it.

    Attributes
    ----------
    what : str
        Of `TO_REACH`.
    label : str
        Of the row of the table.
    shown : tuple of (str, str)
        The two that are compared.
    ratio : Ratio
    unit : str
        What the ratio is.
    asked : float
    """

    what: str
    label: str
    shown: tuple[str, str]
    ratio: Ratio
    unit: str
    asked: float

    @property
    def is_reached(self) -> bool:
        """Whether the ratio is what is asked, or better."""
        found, is_at_most = self.ratio.value, self.what in (BOUND, MEMORY)
        return found <= self.asked if is_at_most else found >= self.asked


def measures_of(name: str, entry: dict[str, Any]) -> Iterator[Measure]:
    """Yield what was measured of a case, in the order of the table."""
    case = entry["case"]
    for what in (STEP, ONE, THOUSAND):
        samples = harness.from_json(entry[what])
        parts = what == THOUSAND
        ratio = harness.speed_up(samples["plain"], samples["core"], "total" if parts else "median")
        times = {who: sample.total if parts else sample.median for who, sample in samples.items()}
        label = what
        if parts and case["n_windows"] != 1000:
            times = {who: seconds * 1000 / case["n_windows"] for who, seconds in times.items()}
            label = f"{what} (scaled from {case['n_windows']})"
        plain, core = (_seconds(times[who]) for who in CONTESTANTS)
        yield Measure(what, label, (plain, core), ratio, "faster", TO_REACH[what][name])
        if MIXED in samples:
            gain = harness.speed_up(samples["plain"], samples[MIXED])
            cells = plain, _seconds(samples[MIXED].median)
            yield Measure(IN_MIXED, IN_MIXED, cells, gain, "faster", TO_REACH[IN_MIXED][name])
        if PRODUCTS in samples:
            bound = harness.speed_up(samples["core"], samples[PRODUCTS])
            alone = _seconds(samples[PRODUCTS].median)
            yield Measure(BOUND, BOUND, (alone, core), bound, "as long", TO_REACH[BOUND][name])
    plain, core = (entry[MEMORY][who]["tensors"] for who in CONTESTANTS)
    cells = f"{plain / 1e6:.0f} MB", f"{core / 1e6:.0f} MB"
    share = Ratio(core / plain, core / plain, core / plain)
    yield Measure(MEMORY, MEMORY, cells, share, "as much", TO_REACH[MEMORY][name])


def rows_of(name: str, entry: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the table's rows of a case."""
    for found in measures_of(name, entry):
        ratio = f"{found.ratio.value:.2f}" if found.what == MEMORY else str(found.ratio)
        verdict = "yes" if found.is_reached else "NO"
        times = f"{ratio}x {found.unit}"
        yield [name, found.label, *found.shown, times, f"{found.asked:g}x", verdict]


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def about(name: str, entry: dict[str, Any]) -> str:
    """Say what a case is, how far its contestants agree, and where it was measured."""
    case, hardware = entry["case"], entry["hardware"]
    differences = ", ".join(f"{what} {value:.0e}" for what, value in entry["differences"].items())
    resident = [entry[MEMORY][who]["resident"] for who in CONTESTANTS]
    growth = "not known here"
    if None not in resident:
        growth = " and ".join(f"{size / 1e6:.0f} MB" for size in resident)
    versions = ", ".join(f"{package} {version}" for package, version in entry["versions"].items())
    return (
        f"- **{name}**: {case['n_series']} series, context {case['context_length']}, "
        f"patch {case['patch_length']}, batch {case['batch']} (inference "
        f"{case['inference_batch']}), width {case['d_model']}, {case['n_heads']} heads. "
        f"Relative differences: {differences}. Growth of the whole process in its first "
        f"step: {growth}. {entry['date']}, commit {entry['commit']}, {hardware['cpu']}, "
        f"{hardware['cores']} cores; {versions}."
    )


def ceilings(entries: dict[str, dict[str, Any]]) -> str:
    """Say how fast a step could be that took no longer than its matrix products."""
    steps = {name: harness.from_json(entry[STEP]) for name, entry in entries.items()}
    bounds = [
        f"{harness.speed_up(samples['plain'], samples[PRODUCTS]).value:.2f} on {name}"
        for name, samples in steps.items()
        if PRODUCTS in samples
    ]
    return (
        "A step that took no longer than its products would be so many times as fast as the plain "
        f"step: {', '.join(bounds)}."
    )


def finished(records: Records) -> dict[str, dict[str, Any]]:
    """Return the entries of all finished cases."""
    return {name: entry for name, entry in records.entries.items() if entry.get("finished")}


def pictures_of(records: Records) -> dict[str, Picture]:
    """Return the picture of all ratios."""
    panels: dict[str, list[dict[str, Any]]] = {title: [] for title in TITLES.values()}
    for name, entry in finished(records).items():
        for found in measures_of(name, entry):
            row = {"case": name, "asked": found.asked, "reached": found.is_reached}
            ratio = {"ratio": found.ratio.value, "low": found.ratio.low, "high": found.ratio.high}
            panels[TITLES[found.what]].append(row | ratio)
    return core_pictures.pictures({title: rows for title, rows in panels.items() if rows})


def sections(records: Records) -> dict[str, str]:
    """Return picture and table of all finished cases, what bounds a step, and what a case is."""
    entries = finished(records)
    header = ["case", "what", *CONTESTANTS, "core is", "to reach", "reached"]
    table = markdown_table(
        header, [row for name in entries for row in rows_of(name, entries[name])]
    )
    text = "\n\n".join([shown(pictures_of(records)), table, ceilings(entries)])
    return {"core": text, "core cases": "\n".join(about(name, entries[name]) for name in entries)}
