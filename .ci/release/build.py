"""Build the source distribution and the wheel of the last commit in ./dist, and check both.

Run: make dist, or python .ci/release/build.py [--commit HEAD] [--release]

The commit is built, not the working tree. The wheel is built from the source distribution, so that
a source distribution that lacks a file fails here. PyPI shows README.md without the repository, so
the links of the built README lead to the repository that `[project.urls]` of pyproject.toml names;
as long as it names none, their text stands alone, and `--release` refuses to build.
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

if sys.version_info < (3, 11):
    sys.exit(".ci/release/build.py needs Python 3.11 or later")
import tomllib

ROOT = Path(__file__).resolve().parents[2]
DIST = ROOT / "dist"
TOOLS = ROOT / ".venv-release"
HIDDEN = {".gitignore", ".pre-commit-config.yaml"}
"""Files of the repository that no distribution needs, beside `.github/`."""
BUILD = "import sys; from setuptools import build_meta as b; print(getattr(b, sys.argv[1])('dist'))"


def with_absolute_links(readme: str, repository: str | None, version: str) -> str:
    """Return README.md with links that lead to the repository, or without links into it."""

    def link(found: re.Match[str]) -> str:
        text, path = found["text"], found["path"]
        return f"[{text}]({repository}/blob/v{version}/{path})" if repository else text

    return re.sub(r"\[(?P<text>[^\]]+)\]\((?P<path>(?!https?:|#)[^)]+)\)", link, readme)


def version_of(source: Path) -> str:
    """Return the version that the package says of itself."""
    text = (source / "samovar_forecast" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)[1]


def check_out(commit: str, folder: Path) -> Path:
    """Write the files of a commit into a folder, with the README that PyPI shows."""
    archive = subprocess.check_output(["git", "archive", commit], cwd=ROOT)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    readme = folder / "README.md"
    text = readme.read_text(encoding="utf-8")
    repository = project.get("urls", {}).get("Repository")
    readme.write_text(with_absolute_links(text, repository, version_of(folder)), encoding="utf-8")
    if repository is None:
        print("pyproject.toml names no Repository in [project.urls]: README is built without links")
    return folder


def build(source: Path, kind: str) -> Path:
    """Build one kind of distribution of a folder with the setuptools of this environment."""
    command = [sys.executable, "-c", BUILD, f"build_{kind}"]
    (source / "dist").mkdir(exist_ok=True)
    told = subprocess.run(command, cwd=source, check=True, capture_output=True, text=True)
    built = source / "dist" / told.stdout.splitlines()[-1]
    DIST.mkdir(exist_ok=True)
    return built.replace(DIST / built.name)


def files_of(distribution: Path) -> set[str]:
    """Return the files of a distribution; those of a source distribution without its folder."""
    if distribution.suffix == ".whl":
        return set(zipfile.ZipFile(distribution).namelist())
    with tarfile.open(distribution) as files:
        return {name.split("/", 1)[1] for name in files.getnames() if "/" in name}


def problems(sdist: set[str], wheel: set[str], tracked: set[str]) -> list[str]:
    """Return what the distributions lack, and what they should not hold."""
    wanted = {name for name in tracked - HIDDEN if not name.startswith(".github/")}
    package = {name for name in wanted if name.startswith("samovar_forecast/")}
    inside = {name for name in wheel if ".dist-info/" not in name}
    return [
        *(f"the source distribution lacks {name}" for name in sorted(wanted - sdist)),
        *(f"the wheel lacks {name}" for name in sorted(package - inside)),
        *(f"the wheel should not hold {name}" for name in sorted(inside - package)),
        *(["the wheel has no licence"] if not any("LICENSE" in name for name in wheel) else []),
    ]


def not_ready(source: Path) -> list[str]:
    """Return what a release lacks: an address, and one version in all places."""
    project = tomllib.loads((source / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version, changes = version_of(source), (source / "CHANGELOG.md").read_text(encoding="utf-8")
    citation = (source / "CITATION.cff").read_text(encoding="utf-8")
    address = "Repository" in project.get("urls", {})
    return [
        *([] if address else ["pyproject.toml names no Repository in [project.urls]"]),
        *([] if f"## [{version}]" in changes else [f"CHANGELOG.md has no heading [{version}]"]),
        *([] if f"version: {version}\n" in citation else [f"CITATION.cff is not of {version}"]),
    ]


def check_metadata(distributions: list[Path]) -> None:
    """Run `twine check --strict`, in an environment of its own."""
    python = TOOLS / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", TOOLS], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "twine"], check=True)
    subprocess.run([python, "-m", "twine", "check", "--strict", *distributions], check=True)


def main(arguments: list[str] | None = None) -> None:
    """Build, check, and name what was built."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commit", default="HEAD")
    parser.add_argument("--release", action="store_true", help="refuse what is not to be published")
    given = parser.parse_args(arguments)
    commit = given.commit
    with tempfile.TemporaryDirectory() as folder:
        source = check_out(commit, Path(folder))
        if given.release and (lacking := not_ready(source)):
            sys.exit("\n".join(["not to be released:", *lacking]))
        sdist = build(source, "sdist")
    with tempfile.TemporaryDirectory() as folder, tarfile.open(sdist) as files:
        files.extractall(folder, filter="data")
        wheel = build(next(Path(folder).iterdir()), "wheel")
    listed = subprocess.check_output(["git", "ls-tree", "-r", "--name-only", commit], cwd=ROOT)
    found = problems(files_of(sdist), files_of(wheel), set(listed.decode().splitlines()))
    if found:
        sys.exit("\n".join(found))
    check_metadata([sdist, wheel])
    print(sdist, wheel, sep="\n")


if __name__ == "__main__":
    main()
