# `make demo` tells the story, `make test` checks everything that is quick, `make test-slow` the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
JOBS ?= 2

.PHONY: demo test test-slow crash crash-tables coverage bench format schemas clean

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(JOBS) -m "not slow"

test-slow: $(VENV)/.installed-dev
	$(BIN)/pytest -n $(JOBS) -m slow --timeout 1800

# N runs of the real command line that are killed, refused a disk, or cut off from power.
N ?= 200
crash: $(VENV)/.installed-dev
	$(BIN)/python -m tests.crash $(N)

# The seeded defects and who catches each; the same faults against a loop over the vendor's SDK.
crash-tables: $(VENV)/.installed-dev
	$(BIN)/python -m tests.crash mutants
	$(BIN)/python -m tests.crash compare

# Every branch of what talks to the API, plans, applies and remembers.
coverage: $(VENV)/.installed-dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not slow" --ignore tests/crash
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(VENV)/.installed-dev
	$(BIN)/python bench/bench.py

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: $(VENV)/.installed
	$(BIN)/defendctl schema manifest --output schemas/manifest.schema.json
	$(BIN)/defendctl schema project --output schemas/project.schema.json
	$(BIN)/defendctl schema plan --output schemas/plan.schema.json

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[sandbox]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/pip install --quiet --editable '.[sandbox,dev]'
	touch $@
