# Everything here works on a fresh machine that has Python 3.11 or newer and make, and is safe to run again.
# Variables: PYTHON (the interpreter), VERBOSE=1 (show pip's output), VENV and VENV_DEV (the environments' places),
# PYTEST_ARGS (more arguments for pytest, e.g. PYTEST_ARGS="-k splits"), MINUTES (of make fuzz).
.DEFAULT_GOAL := help
.PHONY: help demo test lint slow bench fuzz dev lock samples clean

VENV ?= .venv
VENV_DEV ?= .venv-dev
PYTEST_ARGS ?=
MINUTES ?= 1
export PYTHON VERBOSE MAKECMDGOALS

BIN := $(VENV_DEV)/bin
# bench/plain_*.py are peers, which a benchmark runs beside vocemo; bench/report.py writes what all of them find.
BENCHMARKS := $(filter-out bench/plain_% bench/report.py,$(wildcard bench/*.py))
INPUTS := pyproject.toml constraints.txt scripts/environment.sh

help: ## show this list
	@echo "make TARGET, where TARGET is:"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  \1|\2/p' Makefile | awk -F'|' '{printf "%-10s %s\n", $$1, $$2}'

demo: $(VENV)/.installed ## classify the sample clips with the model inside the package (light: no PyTorch)
	@mkdir -p demo-out
	@echo "Classifying the synthetic clips in samples/ with the model inside the package ..."
	@$(VENV)/bin/vocemo predict samples/*.flac --plot demo-out/demo.png
	@echo "The picture is demo-out/demo.png"
	@echo "A synthesiser spoke these clips: they show that everything works, and say nothing about accuracy (README.md does)."
	@echo "Try a recording of your own: $(VENV)/bin/vocemo predict FILE"

test: lint ## set up all that the tests need, then check style, types, imports and run the tests
	@echo "== pytest"
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

lint: $(VENV_DEV)/.installed ## the checks of make test without the tests
	@echo "== ruff check"
	@$(BIN)/ruff check .
	@echo "== ruff format --check"
	@$(BIN)/ruff format --check .
	@echo "== mypy"
	@$(BIN)/mypy
	@echo "== lint-imports"
	@$(BIN)/lint-imports
	@echo "== the figures in README.md and docs are those of docs/results"
	@$(BIN)/python scripts/render_results.py --check

slow: $(VENV_DEV)/.installed ## the tests that take minutes
	@$(BIN)/python -m pytest -m slow $(PYTEST_ARGS) || { [ $$? -eq 5 ] && echo "There are no slow tests."; }

bench: $(VENV_DEV)/.installed ## every benchmark of bench/, a peer beside vocemo in each
	@set -e; for benchmark in $(BENCHMARKS); do echo "== $$benchmark"; $(BIN)/python $$benchmark; done

fuzz: $(VENV_DEV)/.installed ## broken files by the thousand, for a minute, or for MINUTES
	@$(BIN)/python scripts/fuzz.py --minutes $(MINUTES) --out runs/fuzz/inputs.json

dev: $(VENV_DEV)/.installed ## set up the development environment alone

lock: ## resolve every extra anew and write constraints.txt; KEEP=1 keeps what is locked
	@$(or $(PYTHON),python3) scripts/lock.py $(if $(KEEP),--keep)

samples: $(VENV_DEV)/.installed ## make the synthetic clips of samples/ again
	@$(BIN)/python scripts/make_samples.py

clean: ## remove what builds and tests leave behind; environments and runs stay
	rm -rf build dist demo-out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests scripts bench -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: $(INPUTS)
	@./scripts/environment.sh $(VENV) plot

$(VENV_DEV)/.installed: $(INPUTS)
	@./scripts/environment.sh $(VENV_DEV) dev
