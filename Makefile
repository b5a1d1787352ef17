# Every target makes the environment that it needs, in $(VENV), with the versions in constraints.txt.
PYTHON ?= python3
VENV ?= .venv
OUT ?= runs/curve
ARGS ?=
DATA ?=

BIN = $(VENV)/bin
INSTALL = $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
PARALLEL = -n auto --dist worksteal
BASE = $(VENV)/base.stamp
FULL = $(VENV)/full.stamp
TORCH = $(VENV)/torch.stamp
BENCH = $(VENV)/bench.stamp
DOCS = $(VENV)/docs.stamp

# Processes share the bytecode of modules; unset, each of them would compile all of it.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help curve test test-all test-torch lint types bench bench-mi bench-brackets notebooks docs test-docs clean bench-systems bench-validity bench-traps

help:
	@echo 'make curve      measure the default capacity curve into $(OUT); ARGS="--seeds 1" and so on'
	@echo 'make test       the tests that take seconds'
	@echo 'make test-all   all tests, on programs compiled as for use'
	@echo 'make test-torch modules of PyTorch, and the pages that use it; installs PyTorch'
	@echo 'make lint       ruff: rules and format'
	@echo 'make types      mypy'
	@echo 'make bench      benchmarks'
	@echo 'make bench-mi   every estimator on the public tasks, into docs/estimators.md; DATA=DIR for given samples'
	@echo 'make bench-brackets  brackets of 14 to 8,192 bits, into docs/brackets.md; hours, resumable; ARGS="--share 0.1"'
	@echo 'make bench-validity  1,100 problems whose bits are known, into docs/validity.md; an hour, resumable; ARGS="--jobs 2"'
	@echo 'make bench-traps  data as people have them, 196 pairs of known bits, into docs/traps.md; a day, resumable; ARGS="--sizes 1000 --seeds 1"'
	@echo 'make bench-systems  the curve of every system, inside its limits or not; resumable; ARGS="--bits 8 --units 4"'
	@echo 'make notebooks  run every notebook'
	@echo 'make docs       the documentation site, into build/site; a warning is an error'
	@echo 'make test-docs  the built site in Chromium, if it is installed'
	@echo 'make clean      remove the environment and what was built; runs/ stays'
	@echo 'Variables: PYTHON=$(PYTHON) VENV=$(VENV)'

curve: $(BASE)
	$(BIN)/capacity curve --out $(OUT) $(ARGS)

test: $(FULL)
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-all: $(FULL)
	XLA_FLAGS= $(BIN)/python -m pytest $(PARALLEL) -m 'slow or not slow' $(ARGS)

test-torch: $(TORCH)
	$(BIN)/python -m pytest $(PARALLEL) -m 'slow or not slow' tests/capacity/frameworks \
	  'tests/capacity/test_documentation.py::test_a_pages_python_runs[docs/your_model.md]' $(ARGS)

lint: $(FULL)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(FULL)
	$(BIN)/mypy capacity synthetic

bench: $(BENCH)
	$(BIN)/python -m pytest tests/benchmarks $(ARGS)

bench-mi: $(FULL)
	@mkdir -p runs
	$(BIN)/python -m tests.benchmarks.mi_tasks --out runs/mi.jsonl --tasks public $(if $(DATA),--data $(DATA)) $(ARGS)
	$(BIN)/python -m tests.benchmarks.mi_tasks --out runs/mi.jsonl --report docs/estimators.md

# Records, and the page that is written from them.
bench-brackets bench-validity bench-traps: bench-%: $(FULL)
	@mkdir -p runs
	$(BIN)/python -m tests.benchmarks.$* --out runs/$*.jsonl $(ARGS)
	$(BIN)/python -m tests.benchmarks.$* --out runs/$*.jsonl --report docs/$*.md

bench-systems: $(FULL)
	$(BIN)/python -m tests.benchmarks.systems --out runs/systems $(ARGS)

notebooks: $(FULL)
	printf '%s\n' notebooks/*.py | xargs -n 1 -P 2 $(BIN)/python -m jupytext --to ipynb --execute

docs: $(DOCS)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

test-docs: $(FULL)
	$(BIN)/python -m pytest tests/site $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BASE): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "Installing the toolkit and about fifty packages into $(VENV); some minutes"
	$(INSTALL) -e .
	touch $@

$(FULL): $(BASE)
	@echo "Installing about fifty packages more, for tests and notebooks, into $(VENV); some minutes"
	$(INSTALL) -e '.[test,notebooks,parquet,safetensors]'
	touch $@

$(TORCH): $(FULL)
	@echo "Installing PyTorch into $(VENV); some minutes"
	$(INSTALL) -e '.[torch]'
	touch $@

$(BENCH): $(FULL)
	@echo "Installing PyTorch and what the benchmarks need into $(VENV); some minutes"
	$(INSTALL) -e '.[bench]'
	touch $@

$(DOCS): $(BASE)
	@echo "Installing what builds the site into $(VENV); a minute"
	$(INSTALL) -e '.[docs]'
	touch $@
