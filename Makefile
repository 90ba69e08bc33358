# Everything here is made from the project's own files: `make demo` needs Python only,
# `make test` Node as well, and a Chromium that it fetches where there is none.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(BIN)/uv
LOGS := $(CURDIR)/.logs
NODE_MODULES := js/node_modules/.made
PYTHON_MADE := $(VENV)/.made
WHEEL_VENV := $(VENV)/wheel
OLDEST_VENV := $(VENV)/oldest
CLASSIC := $(VENV)/classic/.made
QUICK_START := notebooks/01_quick_start.ipynb

# The first Python on the PATH that is new enough.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; \
	done)

# Notebooks and tests meet the project's Jupyter, not the settings of the person who runs them.
export JUPYTER_CONFIG_DIR := $(CURDIR)/.jupyter/config
export JUPYTER_DATA_DIR := $(CURDIR)/.jupyter/data
export JUPYTER_RUNTIME_DIR := $(CURDIR)/.jupyter/runtime
export IPYTHONDIR := $(CURDIR)/.jupyter/ipython
export JUPYTER_PREFER_ENV_PATH := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

heading = @printf '\n== %s\n' "$(1)"
# Needs: command, what to say. One line, then stop.
need = @command -v $(1) >/dev/null || { echo "$(1) is missing: $(2)" >&2; exit 1; }
# Keeps what a test runner prints, for the summary at the end of `make test`.
keep = | tee $(LOGS)/$(1)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

# --- use it ---------------------------------------------------------------------------------

.PHONY: demo lab
demo: setup ## Run the quick start in a real kernel and print the run as text
	$(call heading,$(QUICK_START))
	@$(PY) scripts/notebooks.py show $(QUICK_START)

lab: setup ## Open the quick start in JupyterLab
	@$(BIN)/jupyter lab $$([ "$$(id -u)" = 0 ] && echo --allow-root) $(QUICK_START)

# --- set it up ------------------------------------------------------------------------------

.PHONY: setup setup-js chromium
setup: $(PYTHON_MADE) | $(IPYTHONDIR) ## Make .venv: what requirements-dev.txt pins, and nestling editable
	@:
setup-js: $(NODE_MODULES)

$(PY):
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is missing: install it, on Debian with 'apt-get install python3 python3-venv'" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "The venv module of $(PYTHON) is missing: install it, on Debian with 'apt-get install python3-venv'" >&2; exit 1; }
	$(call heading,Python environment in $(VENV))
	@$(PYTHON) -m venv $(VENV)

$(UV): | $(PY)
	@$(PY) -m pip install --quiet "$$(grep -oE '^uv==[0-9.]+' requirements-dev.txt)"

$(PYTHON_MADE): requirements-dev.txt pyproject.toml | $(PY) $(UV)
	@$(UV) pip install --quiet --python $(PY) --requirement requirements-dev.txt
	@$(UV) pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

$(NODE_MODULES): js/package-lock.json
	$(call need,node,install Node.js 20.19 or newer (https://nodejs.org))
	$(call need,npm,it comes with Node.js; on Debian 'apt-get install npm')
	@node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
		|| { echo "Node.js $$(node --version) is too old: install 20.19 or newer (https://nodejs.org)" >&2; exit 1; }
	$(call heading,JavaScript dependencies)
	@cd js && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Debian's package where it can be had, else Playwright's own download.
chromium: setup
	@if command -v chromium >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		printf '\n== Chromium\n'; \
		apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y chromium >/dev/null; \
	else $(BIN)/playwright install chromium; fi

# A kernel without subshells, as many still run: all else it takes from $(VENV).
.PHONY: classic
classic: $(CLASSIC)
$(CLASSIC): Makefile $(PYTHON_MADE)
	@rm -rf $(@D) && $(UV) pip install --quiet --python $(PY) --no-deps --target $(@D) ipykernel==6.29.5
	@touch $@

# --- test it --------------------------------------------------------------------------------

TESTS := test-unit test-providers test-remote test-js test-notebooks test-browser test-wheel

.PHONY: test $(TESTS) lint check-bundle
test: lint check-bundle $(TESTS) ## All checks and tests, as continuous integration runs them
	$(call heading,Summary)
	@for t in $(TESTS); do printf '%-16s %s\n' "$$t" \
		"$$(sed -E 's/\x1b\[[0-9;]*m//g' $(LOGS)/$$t | grep -E '(passed|failed)' | tail -n 1 | sed -E 's/^[= ]+|[= ]+$$//g')"; done

lint: setup setup-js ## ruff, mypy, biome, tsc
	$(call heading,ruff)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	$(call heading,mypy)
	@$(BIN)/mypy --strict src
	$(call heading,biome and tsc)
	@cd js && npm run --silent check

check-bundle: build ## The committed widget.js and widget.css are what js/src builds
	@git diff --exit-code --stat -- src/nestling/static \
		|| { echo "src/nestling/static is out of date: commit what 'make build' wrote" >&2; exit 1; }

$(LOGS) $(IPYTHONDIR):
	@mkdir -p $@

test-unit: setup | $(LOGS) ## Python, without kernel or browser
	$(call heading,pytest tests/unit)
	@$(PY) -m pytest tests/unit $(call keep,$@)

test-providers: setup | $(LOGS) ## Real clients of providers, against a server that replays their streams
	$(call heading,pytest tests/providers)
	@$(PY) -m pytest tests/providers $(call keep,$@)

test-remote: setup | $(LOGS) ## A real LangGraph server on this machine
	$(call heading,pytest tests/remote)
	@$(PY) -m pytest tests/remote $(call keep,$@)

test-js: setup-js | $(LOGS) ## The page, without kernel or browser
	$(call heading,vitest)
	@cd js && npm run --silent test $(call keep,$@)

test-notebooks: setup | $(LOGS) ## Every notebook gives the outputs that are committed
	$(call heading,nbval notebooks)
	@$(PY) -m pytest --nbval notebooks $(call keep,$@)

test-browser: setup setup-js chromium classic | $(LOGS) ## Real JupyterLab and Notebook, real Chromium
	$(call heading,pytest tests/browser)
	@$(PY) -m pytest tests/browser $(call keep,$@)

# In a directory of its own, from where neither src/ nor the checkout can be imported.
test-wheel: wheel | $(LOGS) ## The wheel as built, in an environment of its own
	$(call heading,pytest tests/package)
	@rm -rf $(WHEEL_VENV) && $(UV) venv --quiet --python $(PY) $(WHEEL_VENV)
	@$(UV) pip install --quiet --python $(WHEEL_VENV) --constraint requirements-dev.txt \
		"$$(ls dist/nestling-*.whl)[demo]" pytest mypy
	@away=$$(mktemp -d) && trap 'rm -rf "$$away"' EXIT && cp tests/package/*.py "$$away" && cd "$$away" \
		&& WHEEL="$$(ls $(CURDIR)/dist/nestling-*.whl)" \
		$(abspath $(WHEEL_VENV))/bin/python -m pytest -ra . $(call keep,$@)

# The oldest versions that pyproject.toml allows; those of `make test` are the newest.
.PHONY: test-matrix
test-matrix: setup ## The tests of the Python side with the oldest LangGraph that is supported
	$(call heading,pytest tests/unit with the oldest versions)
	@rm -rf $(OLDEST_VENV) && $(UV) venv --quiet --python $(PY) $(OLDEST_VENV)
	@$(UV) pip install --quiet --python $(OLDEST_VENV) --resolution lowest-direct --editable '.[demo]' --group test
	@$(OLDEST_VENV)/bin/python -m pytest tests/unit

# --- change it ------------------------------------------------------------------------------

.PHONY: format build wheel bench soak notebooks lock clean
format: setup setup-js ## Format Python and TypeScript
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .
	@cd js && npx biome check --write .

build: setup-js ## Build src/nestling/static from js/src
	$(call heading,bundle)
	@cd js && npm run --silent build

wheel: setup ## Build the wheel into dist/
	@rm -rf dist && $(UV) build --quiet --wheel --python $(PY) --out-dir dist

bench: setup setup-js chromium ## Measure what the README says about speed, and draw its plot
	@$(PY) -m bench
	@$(PY) -m bench.plot
	@$(PY) -m bench.readme

soak: setup chromium ## Half an hour of one run: nothing may grow
	@$(PY) -m bench.soak

notebooks: setup ## Execute all notebooks again and write their outputs
	@$(PY) scripts/notebooks.py refresh notebooks/*.ipynb

lock: $(PYTHON_MADE) ## Pin the newest versions in requirements-dev.txt
	@$(UV) pip compile --quiet --universal --upgrade --python-version 3.11 --extra demo --group dev \
		--no-header --no-annotate --no-emit-index-url --output-file requirements-dev.txt pyproject.toml

clean: ## Remove everything that make made
	rm -rf $(VENV) $(LOGS) .jupyter dist js/node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis
