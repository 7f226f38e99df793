# azgen: `make evolve` runs the default search, `make test` the tests. Everything is installed into .venv.

PYTHON ?= python3
PYTEST_ARGS ?=
FUZZ_ARGS ?=
SANITIZE_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.PHONY: help evolve smoke test coverage fuzz sanitize experiments lint types contracts templates docs bench clean

help:
	@echo "make evolve       install azgen into $(VENV) and run the default search (one to two minutes)"
	@echo "make smoke        one minute: does azgen work here? compiler, a search, a table, an exported module"
	@echo "make test         run the tests"
	@echo "make coverage     run the tests and say which lines of azgen none of them reaches"
	@echo "make experiments  run the slow tests: the measured results that the documentation states (hours)"
	@echo "make fuzz         changed inputs at every door through which data come in, ten minutes each"
	@echo "make sanitize     10 000 random programs with AddressSanitizer and UBSan (a quarter of an hour)"
	@echo "make lint         ruff: rules and formatting"
	@echo "make types        mypy"
	@echo "make contracts    import-linter: which part may import which"
	@echo "make templates    the templates: do they parse, is each used?"
	@echo "make docs         the documentation as a site, in build/site; warnings are errors"
	@echo "make bench        measure azgen on this machine: executors, search, compiler (a minute or two)"
	@echo "make clean        remove the compile cache and the tools' caches ($(VENV) and runs/ stay)"
	@echo "PYTHON=...        the interpreter that $(VENV) is made from (3.11 or newer; now: $(PYTHON))"

evolve: $(INSTALLED)
	$(BIN)/azgen evolve

smoke: $(INSTALLED)
	$(BIN)/python tools/smoke.py

# A file stays in one process: what its tests share is made, and compiled, once.
test: $(INSTALLED_DEV)
	$(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

coverage: $(INSTALLED_DEV)
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered --cov-report=html $(PYTEST_ARGS)

# One at a time: they measure time. Compiled as for users, and not in a hurry as for `make test`.
experiments: $(INSTALLED_DEV)
	AZGEN_CFLAGS= $(BIN)/python -m pytest -m slow -s $(PYTEST_ARGS)

# Ten minutes for each door (FUZZ_ARGS="--seconds 60 program" for less); findings go to build/fuzz.
fuzz: $(INSTALLED_DEV)
	$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

# SANITIZE_ARGS="--programs 500" for less.
sanitize: $(INSTALLED_DEV)
	$(BIN)/python -m tests.sanitize $(SANITIZE_ARGS)

lint: $(INSTALLED_DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED_DEV)
	$(BIN)/mypy

contracts: $(INSTALLED_DEV)
	$(BIN)/lint-imports

templates: $(INSTALLED_DEV)
	$(BIN)/python tools/templates.py

docs: $(INSTALLED_DEV)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict

bench: $(INSTALLED)
	$(BIN)/azgen bench

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find azgen tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The version is checked first, so that an old Python gives this message and not one of pip's.
$(BIN)/python:
	@command -v "$(PYTHON)" >/dev/null || { \
	    echo "azgen needs Python 3.11 or newer; '$(PYTHON)' was not found. Install it, or: make PYTHON=/path/to/python3.11" >&2; \
	    exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "azgen needs Python 3.11 or newer; '$(PYTHON)' is $$("$(PYTHON)" --version 2>&1). Try: make PYTHON=python3.11" >&2; \
	    exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
	    echo "'$(PYTHON)' cannot make virtual environments. Debian and Ubuntu: apt install python3-venv" >&2; \
	    exit 2; }
	"$(PYTHON)" -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[all]'
	@touch $@

$(INSTALLED_DEV): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[dev]'
	@touch $@ $(INSTALLED)
