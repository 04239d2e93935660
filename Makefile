# Needs python3 (3.10 to 3.13), git and make; everything else goes into $(VENV), at the
# versions of constraints.txt. `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
SITE ?= site
BIN := $(VENV)/bin
FEV ?= .venv-fev
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The matrices here are small: more threads than one lose more to waiting than they win.
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

# Two files of tests at once; a file stays in one process, for its fixtures are costly.
SIDE_BY_SIDE ?= --numprocesses 2 --dist loadfile

define SHRINK
from pathlib import Path
from PIL import Image
for path in Path("docs/static/gallery").glob("plots_*.png"):
    Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)
endef
export SHRINK

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test test-all lint format docs gallery dist each-python oldest engines hashes audit fev clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/demo.stamp ## set up, then forecast US macro data beside a VAR: leaderboard and figures
	$(BIN)/samovar-forecast demo

test: $(VENV)/dev.stamp ## set up, then run the fast tests
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow"

test-all: $(VENV)/dev.stamp ## set up, then run every test
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

lint: $(VENV)/dev.stamp ## set up, then check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev.stamp ## set up, then rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/dev.stamp ## set up, then build the documentation as pages in ./site
	$(BIN)/python -m sphinx --fail-on-warning --quiet -b html docs $(SITE)
	@echo "$(SITE)/index.html"

gallery: $(VENV)/dev.stamp ## set up, then draw the pictures of the gallery anew
	for script in examples/gallery/*.py; do \
		(cd docs/static/gallery && $(abspath $(BIN))/python ../../../$$script) || exit 1; done
	$(BIN)/python -c "$$SHRINK"  # the sheets of many figures are large

dist: $(VENV)/core.stamp ## set up, then build wheel and sdist in ./dist, check them and try them
	$(BIN)/python .ci/release/build.py $(RELEASE)
	$(BIN)/python .ci/release/empty_environments.py

each-python: ## set up and run the fast tests on each Python from 3.10 to 3.13 that is here
	.ci/release/each_python.sh

oldest: ## set up the oldest versions that pyproject.toml admits, and run the fast tests on these
	$(PYTHON) -m venv --clear .venv-oldest
	$(PYTHON) .ci/release/oldest_versions.py > .venv-oldest/oldest.txt
	.venv-oldest/bin/python -m pip install --quiet --disable-pip-version-check --constraint .venv-oldest/oldest.txt --editable '.[all,parquet]' pytest pytest-xdist hypothesis
	.venv-oldest/bin/python -m pytest $(SIDE_BY_SIDE) -W default -m "not slow" --ignore tests/benchmarks

engines: ## set up Dask, Ray and Spark, and run their recipes on local clusters; Spark needs Java
	$(PYTHON) -m venv --clear .venv-engines
	.venv-engines/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt setuptools torch
	.venv-engines/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-build-isolation --editable '.[demo,parquet]' \
		'dask[dataframe]' 'ray[data]==2.60.0' pyspark==4.3.0 pytest
	.venv-engines/bin/python -m pytest tests/sharding/test_engines.py

hashes: ## write constraints-hashes.txt anew, from constraints.txt; needs PyPI
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check uv
	UV_CUSTOM_COMPILE_COMMAND='make hashes' .venv-audit/bin/uv pip compile constraints.txt \
		--no-deps --universal --python-version 3.11.5 --generate-hashes --no-annotate \
		--upgrade --quiet --output-file constraints-hashes.txt

audit: ## look the pinned versions up in the lists of known holes; needs PyPI itself
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit
	.venv-audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

fev: $(FEV)/fev.stamp ## set up the environment of `python -m benchmarks.fev`

clean: ## remove the environment, the caches and what a build leaves
	rm -rf $(VENV) $(VENV)-3.* .venv-release .venv-oldest .venv-engines .venv-audit $(FEV) $(SITE) docs/generated build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# torch comes first and alone, so that no other requirement chooses its build; it brings the
# pinned setuptools, with which the package itself is then built.
$(VENV)/core.stamp: constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 10) <= v < (3, 14) and "found Python %d.%d, wanted 3.10 to 3.13: name one by make PYTHON=python3.12" % v)'
	@echo "setting up $(VENV): a few minutes the first time"
	$(PYTHON) -m venv --clear $(VENV)
	$(INSTALL) setuptools torch
	@touch $@

$(VENV)/demo.stamp: $(VENV)/core.stamp pyproject.toml
	$(INSTALL) --no-build-isolation --editable '.[demo]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/core.stamp pyproject.toml
	$(INSTALL) --no-build-isolation --editable '.[dev]'
	@touch $@

# fev asks for older versions of what reads its tables than ours are, and has an environment alone.
$(FEV)/fev.stamp: benchmarks/fev/constraints.txt pyproject.toml
	$(PYTHON) -m venv --clear $(FEV)
	$(FEV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint benchmarks/fev/constraints.txt setuptools torch
	$(FEV)/bin/python -m pip install --quiet --disable-pip-version-check --constraint benchmarks/fev/constraints.txt --no-build-isolation --editable '.[demo]' fev statsforecast
	@touch $@
