# lienzo: `make demo` and `make test` do everything from a bare machine with Python >= 3.11 and make.
# What you may set, e.g. `make test PYTHON=python3.12`:

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
# The build of torch: cpu, or cuda for a Linux machine with an NVIDIA GPU. macOS needs no choice.
ACCELERATOR ?= cpu
VENV ?= .venv
OUT ?= out/demo
WALK ?= out/walk
MODEL ?= scenes-64
PYTEST_ARGS ?=
# From the environment, TORCH_INDEX_URL: the index or mirror to take torch from (see tools/install_torch.py).

TORCH_VERSION := 2.13.0
UV_VERSION := 0.13.9

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
STAGES := lint types layers
# A stamp is the time at which a step of the set-up was last done, so that a second run finds nothing to do.
TORCH := $(VENV)/.stamp-torch-$(ACCELERATOR)
LOCK := $(VENV)/.stamp-lock
DEV := $(VENV)/.stamp-dev
PROJECT := $(VENV)/.stamp-project

.DEFAULT_GOAL := help
.PHONY: help setup dev demo walk test lint types layers pytest format bench-table lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z -]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup: $(TORCH) $(LOCK) $(PROJECT) ## make .venv with what running needs (ACCELERATOR=cuda for an NVIDIA GPU)

dev: setup $(DEV) ## the same, and the tools of the tests

demo: setup ## set up, then draw pictures from words with the model that ships, into out/demo
	$(BIN)/lienzo demo --out $(OUT)

walk: setup ## edits of a drawn building: snow, the building kept, a dog; into out/walk (MODEL=NAME for another model)
	$(BIN)/python examples/walk.py --out $(WALK) --model "$(MODEL)"

test: ## set up, then lint, types, layers and tests; every stage runs, whatever the one before it found
	@failed=""; \
	stage() { \
		printf '\n=== %s\n' "$$1"; start=$$(date +%s); \
		$(MAKE) --no-print-directory "$$1"; status=$$?; \
		echo "=== $$1: $$(($$(date +%s) - start)) s"; return $$status; \
	}; \
	stage dev || exit 1; \
	for name in $(STAGES); do stage $$name || failed="$$failed $$name"; done; \
	printf '\n=== tests\n'; \
	$(MAKE) --no-print-directory pytest || failed="$$failed tests"; \
	test -z "$$failed" || { echo "=== failed:$$failed"; exit 1; }

lint: dev ## ruff: rules and layout
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: dev ## pyright, strict over src
	$(BIN)/pyright --pythonpath $(BIN)/python

layers: dev ## import-linter: the one direction of the house
	$(BIN)/lint-imports --no-logo

pytest: dev ## the tests alone; PYTEST_ARGS="-k name"
	$(BIN)/python -m pytest $(PYTEST_ARGS)

format: dev ## let ruff mend what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench-table: dev ## write the README's tables from benchmarks/results/
	$(BIN)/python benchmarks/table.py

clean: ## remove .venv, what demo and walk drew, and the tools' caches
	rm -rf $(VENV) $(OUT) $(WALK) build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the set-up: torch first, then what is locked, then the project ---------------------------------------------------

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "lienzo needs Python 3.11 or newer, and none was found on PATH."; \
		echo "  try: install one, or name one: make PYTHON=/path/to/python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "lienzo needs Python 3.11 or newer, and $(PYTHON) is not that: $$("$(PYTHON)" --version 2>&1)"; \
		echo "  try: make PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" -m venv $(VENV) || { rm -f $@; \
		echo "$(PYTHON) cannot make a virtual environment."; \
		echo "  try: install its venv module (Debian, Ubuntu: apt install python3-venv)"; exit 1; }

$(TORCH): tools/install_torch.py | $(BIN)/python
	$(BIN)/python tools/install_torch.py $(TORCH_VERSION) --accelerator $(ACCELERATOR)
	@touch $@

$(LOCK): requirements/run.txt $(TORCH)
	$(PIP) install -qq --require-hashes --no-deps -r requirements/run.txt
	@touch $@

$(DEV): requirements/dev.txt $(LOCK)
	$(PIP) install -qq --require-hashes --no-deps -r requirements/dev.txt
	@touch $@

$(PROJECT): pyproject.toml $(LOCK)
	$(PIP) install -qq --no-deps --no-build-isolation --editable .
	@touch $@

# --- the locks: run this after changing a dependency in pyproject.toml or requirements/*.in ---------------------------

COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" $(VENV)-lock/bin/uv pip compile --quiet --upgrade --universal \
	--python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate \
	--override requirements/overrides.txt pyproject.toml requirements/torch.in

lock: ## resolve the dependencies anew, for all platforms
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet uv==$(UV_VERSION)
	$(COMPILE) --output-file requirements/run.txt
	$(COMPILE) --extra dev --constraint requirements/run.txt --output-file requirements/dev.txt
	rm -rf $(VENV)-lock
