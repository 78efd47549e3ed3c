# Two commands matter: `make run` and `make test`. Each sets up what it needs first, and is quick when nothing changed.
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet

.PHONY: setup run test check coverage chaos static format lint imports mypy pyright words lock fuzz audit

setup: $(VENV)/.installed

# The page. More words for the command: make run ARGS="--port 9000"
run: $(VENV)/.installed
	@$(BIN)/remixbot run $(ARGS)

# Everything that is checked, here and in CI. pytest comes last: its closing line is the last word.
test: check

check: $(VENV)/.installed-dev
	@$(MAKE) --no-print-directory --output-sync --jobs=2 static
	@only=$$(tests/tools.sh) && $(BIN)/python -m pytest --quiet --numprocesses=auto --dist=worksteal -m "$$only"

# The same tests, and what of the code they went through. It takes a third longer.
coverage: $(VENV)/.installed-dev
	@only=$$(tests/tools.sh) && $(BIN)/python -m pytest --quiet --numprocesses=auto --dist=worksteal --cov -m "$$only"

# Every fault at every boundary, thousands of turns, and the tables of docs/chaos.md. It takes more than an hour.
chaos: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.chaos $(ARGS)

static: format lint imports mypy pyright

format: $(VENV)/.installed-dev
	@$(BIN)/ruff format --check --quiet . || (echo "Mend with: $(BIN)/ruff format ." >&2; exit 1)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check --quiet .

imports: $(VENV)/.installed-dev
	@$(BIN)/lint-imports

mypy: $(VENV)/.installed-dev
	@$(BIN)/mypy

pyright: $(VENV)/.installed-dev
	@$(BIN)/pyright

# The first Python that is new enough and can make environments. PYTHON=/path/to/python names another.
$(BIN)/python:
	@for python in $(PYTHON) python3.11 python3 python3.12 python3.13 python3.14; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Setting up $(VENV)/, which takes a minute the first time."; \
	    exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "Remixbot needs Python 3.11 or newer with venv and pip (Debian: apt install python3 python3-venv)." >&2; \
	echo "If it is somewhere else, name it: make PYTHON=/path/to/python3.11" >&2; \
	exit 1

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	@$(PIP) install --require-hashes --no-deps --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@$(PIP) install --require-hashes --no-deps --requirement requirements-dev.lock
	@touch $@

# The sentences that people read, in all languages: new ones come in, old ones go, all are compiled.
words: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.catalogs

# The locks: versions and hashes, no addresses. What stands in them is kept unless pyproject.toml says otherwise.
COMPILE := build/lock/bin/uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate --quiet
lock: $(BIN)/python
	@$(BIN)/python -m venv build/lock
	@build/lock/bin/python -m pip --disable-pip-version-check --quiet install uv
	$(COMPILE) --group build --output-file requirements.lock
	$(COMPILE) --group build --group dev --constraint requirements.lock --output-file requirements-dev.lock

# What comes from outside, tried for a time: make fuzz SECONDS=300 TARGETS="picture telegram". With atheris, which follows
# what the code does, where there is one for this machine.
SECONDS ?= 60
fuzz: $(VENV)/.installed-dev
	@$(BIN)/python -m venv build/fuzz/venv
	@build/fuzz/venv/bin/python -m pip --disable-pip-version-check --no-input --quiet install atheris \
	  || echo "There is no atheris for this machine: changes are made by chance." >&2
	@PYTHONPATH=$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))'):. \
	  build/fuzz/venv/bin/python -m tests.fuzz $(TARGETS) --seconds $(SECONDS)

# Known weaknesses of what is locked. It asks the registry, so it needs a network; what nobody could tell is a failure.
audit: $(BIN)/python
	@$(BIN)/python -m venv build/audit
	@build/audit/bin/python -m pip --disable-pip-version-check --no-input --quiet install pip-audit
	@build/audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock
	@build/audit/bin/pip-audit --strict --require-hashes --disable-pip --requirement requirements-dev.lock
