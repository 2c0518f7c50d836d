# `make demo` tells the story, `make test` checks everything that is quick, `make test-slow` the rest.
PYTHON ?= python3
VENV := .venv
# Whoever sets it has each of some thousand processes compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin
# More than two cores have to do: tests wait for processes and servers for half of their time.
JOBS ?= 3
LOCK := requirements-dev.lock
LOCKS := $(LOCK) requirements.lock requirements-build.lock requirements-tools.lock
TOOLS := .cache/tools
LOWEST := .cache/lowest
UV := .cache/uv==0.13.8
AUDIT := .cache/pip-audit==2.10.1
PIN = $(UV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header $(UPGRADE)
ZENSICAL := .cache/zensical==0.0.73
LINKINATOR := .cache/linkinator@7.6.1
DOCS := .cache/docs
# Where a Python 3.MINOR is: among pyenv's, or in the path.
python_of = $(firstword $(wildcard $(HOME)/.pyenv/versions/3.$(1).*/bin/python3) $(shell command -v python3.$(1)))
HERE = $(foreach minor,11 12 13 14,$(if $(call python_of,$(minor)),$(minor)))

.PHONY: demo ci-story test test-slow test-pythons test-lowest audit lock zipapp release crash crash-tables \
	coverage bench bench-table bench-growth format schemas docs clean

demo: $(VENV)/.installed
	$(BIN)/python examples/demo.py

# Three environments, forty workflows, and a pipeline in which everything goes wrong that may.
ci-story: $(VENV)/.installed-dev
	$(BIN)/python -m tests.pipelines.story

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest -n $(JOBS) -m "not slow"

test-slow: $(VENV)/.installed-dev
	$(BIN)/pytest -n $(JOBS) -m slow --timeout 1800

# The quick tests with the lowest version of each direct dependency that pyproject.toml allows.
test-lowest: $(LOWEST)/.installed
	$(LOWEST)/bin/pytest -n $(JOBS) -m "not slow"

# The quick tests on every Python of this machine that pyproject.toml allows, each in an environment of its own;
# `make -k test-pythons` goes on after one that fails, `make test-python-3.12` takes one.
test-pythons: $(HERE:%=test-python-3.%)

test-python-3.%: .cache/python-3.%/.installed
	$(<D)/bin/pytest -n $(JOBS) -m "not slow"

# Strict: a package that could not be looked up is an error, not a sound package.
audit: $(AUDIT)/.installed
	$(AUDIT)/bin/pip-audit --strict --require-hashes --disable-pip $(LOCKS:%=--requirement %)

# Writes the locks anew: of developers, of what runs with every extra, of what builds it, of what releases it. Pins that
# still fit stay; `make lock UPGRADE=--upgrade` takes the newest of everything.
lock: $(UV)/.installed
	$(PIN) --all-extras --group dev --output-file $(LOCK) pyproject.toml
	$(PIN) --constraint $(LOCK) --all-extras --output-file requirements.lock pyproject.toml
	$(PIN) --constraint $(LOCK) --group build --output-file requirements-build.lock
	$(PIN) --constraint $(LOCK) --group tools --output-file requirements-tools.lock

# One file for this Python and this kind of machine, in dist/. The same commit gives the same bytes.
zipapp: $(VENV)/.installed-dev $(TOOLS)/.installed
	rm -rf dist/zipapp && $(BIN)/hatchling build --target wheel --directory dist/zipapp
	SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} \
		sh release/zipapp.sh $(TOOLS)/bin dist/zipapp/*.whl dist && rm -rf dist/zipapp

# Everything that a release consists of, in dist/, checked. Publishes nothing.
release: $(VENV)/.installed-dev $(TOOLS)/.installed
	sh release/release.sh $(BIN) $(TOOLS)/bin

# N runs of the real command line that are killed, refused a disk, or cut off from power.
# BACKEND=git, postgres or s3: N of each harness over a shared state, numbered from FROM on.
N ?= 200
BACKEND ?= local
FROM ?= 0
crash: $(VENV)/.installed-dev
	$(BIN)/python -m tests.crash $(N) $(BACKEND) $(FROM)

# The seeded defects and who catches each; the same faults against a loop over the vendor's SDK.
crash-tables: $(VENV)/.installed-dev
	$(BIN)/python -m tests.crash mutants
	$(BIN)/python -m tests.crash compare

# Every branch of what talks to the API, plans, applies and remembers.
coverage: $(VENV)/.installed-dev
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n $(JOBS) -m "not slow" --ignore tests/crash
	$(BIN)/coverage run -m pytest -n $(JOBS) -m slow tests/state/test_backend_contract.py tests/state/postgres tests/state/objects
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

bench: $(VENV)/.installed-dev
	$(BIN)/python bench/bench.py; code=$$?; $(BIN)/python -m bench.shared_state && exit $$code

# The goals for speed: a revision and the working tree in turn. `make bench-table BASE=main ROWS="starts reads"`
BASE ?= HEAD
bench-table: $(VENV)/.installed-dev
	$(BIN)/python -m bench.table $(BASE) $(ROWS)

# What each command takes for 100 workflows, three times as many, and so on to 30,000.
bench-growth: $(VENV)/.installed-dev
	$(BIN)/python -m bench.growth $(NUMBERS)

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: $(VENV)/.installed-dev
	$(BIN)/defendctl schema manifest --output schemas/manifest.schema.json
	$(BIN)/defendctl schema overlay --output schemas/overlay.schema.json
	$(BIN)/defendctl schema project --output schemas/project.schema.json
	$(BIN)/defendctl schema policy --output schemas/policy.schema.json
	$(BIN)/defendctl schema tests --output schemas/tests.schema.json
	$(BIN)/defendctl schema labels --output schemas/labels.schema.json
	$(BIN)/defendctl schema plan --output schemas/plan.schema.json
	$(BIN)/defendctl schema tune --output schemas/tune.schema.json

# The site in .cache/docs/site: what can be told from the code is written, then built; a link to nowhere fails.
# Nothing is asked of the network but for the two tools, once.
docs: $(VENV)/.installed-dev $(ZENSICAL)/.installed $(LINKINATOR)/.installed
	$(BIN)/python -m pages $(DOCS)
	cd $(DOCS) && $(CURDIR)/$(ZENSICAL)/bin/zensical build --clean --strict
	$(LINKINATOR)/node_modules/.bin/linkinator $(DOCS)/site --recurse --check-fragments --silent \
		--skip '^https?://(?!localhost)'

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# What a user gets: the newest versions that pyproject.toml allows.
$(VENV)/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --editable '.[sandbox]'
	touch $@

# What developers and CI get: the lock. It holds the build backend too, so that nothing else is downloaded.
$(VENV)/.installed-dev: pyproject.toml $(LOCK) | $(BIN)/python
	$(BIN)/pip install --quiet --require-hashes --only-binary :all: --requirement $(LOCK)
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(VENV)/.installed $@

.PRECIOUS: .cache/python-3.%/.installed
.cache/python-3.%/.installed: pyproject.toml $(LOCK)
	rm -rf $(@D)
	$(call python_of,$*) -m venv $(@D)
	$(@D)/bin/pip install --quiet --require-hashes --only-binary :all: --requirement $(LOCK)
	$(@D)/bin/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(LOWEST)/.installed: pyproject.toml $(UV)/.installed
	rm -rf $(LOWEST)
	$(PYTHON) -m venv $(LOWEST)
	$(UV)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct \
		--all-extras --group dev --editable .
	touch $@

# What releases, and what the slow tests run.
$(TOOLS)/.installed: requirements-tools.lock
	rm -rf $(TOOLS)
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --require-hashes --only-binary :all: --requirement $<
	touch $@

$(UV)/.installed $(AUDIT)/.installed $(ZENSICAL)/.installed: .cache/%/.installed:
	$(PYTHON) -m venv $(@D)
	$(@D)/bin/pip install --quiet $*
	touch $@

$(LINKINATOR)/.installed:
	npm install --silent --no-audit --no-fund --prefix $(@D) $(notdir $(@D))
	touch $@
