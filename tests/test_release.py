"""What is released is whole: distributions, metadata, the README that PyPI shows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

pytest.importorskip("tomllib", reason="distributions are built on Python 3.11 or later")

import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release import build, empty_environments, oldest_versions

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_links_of_readme_lead_to_the_repository_or_are_text():
    readme = "See [the terminal](docs/terminal.md#exit-codes), [pip](https://pip.pypa.io)."
    assert build.with_absolute_links(readme, None, "0.1.0") == (
        "See the terminal, [pip](https://pip.pypa.io)."
    )
    assert build.with_absolute_links(readme, "https://host/owner/name", "0.1.0") == (
        "See [the terminal](https://host/owner/name/blob/v0.1.0/docs/terminal.md#exit-codes),"
        " [pip](https://pip.pypa.io)."
    )


def test_no_link_of_readme_is_left_that_pypi_could_not_follow():
    shown = build.with_absolute_links((ROOT / "README.md").read_text("utf-8"), None, "0.1.0")
    links = re.findall(r"\]\(([^)]*)\)", shown)
    assert [link for link in links if not link.startswith("https://")] == []


def test_what_is_missing_or_too_much_is_named():
    tracked = {"samovar_forecast/a.py", "samovar_forecast/b.py", "tests/c.py", ".gitignore"}
    wheel = {"samovar_forecast/a.py", "tests/c.py", "samovar_forecast-0.1.0.dist-info/METADATA"}
    assert build.problems({"samovar_forecast/a.py", "samovar_forecast/b.py"}, wheel, tracked) == [
        "the source distribution lacks tests/c.py",
        "the wheel lacks samovar_forecast/b.py",
        "the wheel should not hold tests/c.py",
        "the wheel has no licence",
    ]


def test_a_release_needs_an_address_and_one_version_everywhere(tmp_path):
    (tmp_path / "samovar_forecast").mkdir()
    (tmp_path / "samovar_forecast" / "__init__.py").write_text('__version__ = "0.2.0"\n')
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    (tmp_path / "CHANGELOG.md").write_text("## [Unreleased]\n")
    (tmp_path / "CITATION.cff").write_text("version: 0.1.0\n")
    assert build.not_ready(tmp_path) == [
        "pyproject.toml names no Repository in [project.urls]",
        "CHANGELOG.md has no heading [0.2.0]",
        "CITATION.cff is not of 0.2.0",
    ]
    (tmp_path / "pyproject.toml").write_text('[project.urls]\nRepository = "https://host/name"\n')
    (tmp_path / "CHANGELOG.md").write_text("## [0.2.0] - 2026-12-01\n")
    (tmp_path / "CITATION.cff").write_text("version: 0.2.0\n")
    assert build.not_ready(tmp_path) == []


def test_metadata_name_authors_and_the_citation_agrees_with_them():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert [f"  - name: {author['name']}" in citation for author in PROJECT["authors"]] == [True]
    assert f"version: {build.version_of(ROOT)}\n" in citation
    assert f"license: {PROJECT['license']}\n" in citation


def test_every_extra_that_is_tried_exists_and_its_quick_start_has_something_to_run():
    extras = {extra for extra in empty_environments.QUICK_STARTS if extra} | {"report"}
    assert extras <= set(PROJECT["optional-dependencies"])
    for page in filter(None, empty_environments.QUICK_STARTS.values()):
        assert "import" in empty_environments.script_of(ROOT / "docs" / f"quick_start_{page}.md")
    assert empty_environments.commands_of(ROOT / "docs" / "quick_start_terminal.md")


def test_the_oldest_versions_hold_every_package_of_a_user_at_a_bound():
    bounds = oldest_versions.lower_bounds(PROJECT)
    assert {"torch", "sktime", "darts", "statsmodels", "jinja2"} <= set(bounds)
    assert "samovar_forecast" not in bounds
    assert [name for name, bound in bounds.items() if bound is None] == []
    assert bounds["torch"] == "2.10"


@pytest.mark.slow
def test_wheel_and_source_distribution_of_the_last_commit_are_whole(tmp_path, monkeypatch):
    if subprocess.run(["git", "rev-parse"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("not a repository of git")
    pytest.importorskip("setuptools")
    monkeypatch.setattr(build, "DIST", tmp_path)
    monkeypatch.setattr(build, "check_metadata", lambda distributions: None)  # needs a network
    build.main([])
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".gz", ".whl"]


def pins(path: Path) -> set[str]:
    """The versions that a file pins for Python 3.11 and later."""
    lines = re.findall(r"^[a-z0-9].*==.*$", path.read_text(encoding="utf-8"), re.M | re.I)
    found = [Requirement(line.rstrip(" \\")) for line in lines]
    return {
        f"{canonicalize_name(one.name)}{one.specifier}"
        for one in found
        if one.marker is None or one.marker.evaluate({"python_version": "3.11"})
    }


def test_every_version_of_the_constraints_has_its_hashes():
    hashed = ROOT / "constraints-hashes.txt"
    assert pins(hashed) == pins(ROOT / "constraints.txt")
    blocks = re.split(r"\n(?=\S)", hashed.read_text(encoding="utf-8"))
    for block in blocks:
        if not block.startswith("#"):
            assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), block[:60]


def test_the_lower_bounds_leave_out_versions_with_known_holes():
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["report"]]
    bounds = {Requirement(one).name: Requirement(one).specifier for one in wanted}
    for name, with_hole in {
        "torch": "2.9.1",
        "pytorch-lightning": "2.6.5",
        "tqdm": "4.66.2",
        "jinja2": "3.1.5",
    }.items():
        assert not bounds[name].contains(with_hole)
