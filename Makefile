# Needs python3 (3.10 to 3.13), git and make; everything else goes into $(VENV), at the
# versions of constraints.txt. `make help` lists the targets.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
FEV ?= .venv-fev
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

# The matrices here are small: more threads than one lose more to waiting than they win.
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test test-all lint format fev clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/demo.stamp ## set up, then forecast US macro data beside a VAR: leaderboard and figures
	$(BIN)/samovar-forecast demo

test: $(VENV)/dev.stamp ## set up, then run the fast tests
	$(BIN)/python -m pytest -m "not slow"

test-all: $(VENV)/dev.stamp ## set up, then run every test
	$(BIN)/python -m pytest

lint: $(VENV)/dev.stamp ## set up, then check style, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/dev.stamp ## set up, then rewrite the code in the project's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

fev: $(FEV)/fev.stamp ## set up the environment of `python -m benchmarks.fev`

clean: ## remove the environment, the caches and what a build leaves
	rm -rf $(VENV) $(FEV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
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
