"""The study of short trainings: kinds of families, its tables, a training that is cut short."""

from __future__ import annotations

from benchmarks import pretraining_study as study
from samovar_forecast.pretraining.world import FAMILIES
from tests.builders.records import STAMP


def entry(loss, panel=0.9, m3=1.5):
    return {
        **STAMP,
        **{"parameters": 10, "steps": 3, "CPU minutes": 2.5},
        **{"loss": loss, "panel": panel, "M3": m3},
    }


def test_each_family_is_of_one_kind():
    assert sorted(name for kind in study.KINDS.values() for name in kind) == sorted(FAMILIES)


def test_what_leaving_a_kind_out_changes_is_a_difference_of_means_over_seeds():
    kind = next(iter(study.KINDS))
    found = {
        "all families, seed 0": entry(0.7),
        "all families, seed 1": entry(0.8),
        f"without {kind}, seed 0": entry(0.9, panel=0.8),
        f"without {kind}, seed 1": entry(0.8, panel=0.9),
    }
    rows = [line.strip("| ").split("|") for line in study.families_table(found).splitlines()[2:]]
    cells = {row[0].strip(): [cell.strip() for cell in row[1:]] for row in rows}
    assert cells["all families"] == ["3", "0.750", "0.900", "1.500"]
    assert cells[f"without {kind}"] == ["+0", "+0.100", "-0.050", "+0.000"]
    assert cells["without Gaussian processes"] == ["not run"] * 4
    # Two seeds 0.1 apart have the variance 0.005, and so has the difference of two such means.
    assert cells["standard error of a change"] == ["0", "0.071", "0.050", "0.000"]


def test_the_table_of_sizes_ends_with_the_weights_of_the_package():
    records = study.Records(None)
    for name in ("all families, seed 0", "width 32", study.SHIPPED):
        records.keep(name, entry(0.7))
    rows = study.sections(records)["pretraining sizes"].splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == list(records.entries)


def test_a_trial_trains_without_the_families_that_it_leaves_out():
    without = study.KINDS["Gaussian processes"]
    run = study.Trial(minutes=1e-6, width=16, without=without).train()
    assert run.progress.step == 1
    assert run.recipe.sizes.without == without
    assert len(run.progress.curve) == 1
    assert study.n_parameters(run.network) > 0
