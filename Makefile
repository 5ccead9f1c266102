# setup: a virtual environment with everything pinned. demo: the whole of it on this machine. test, check: what CI runs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test coverage test-oldest check fmt bench lock
setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	$(BIN)/etl demo

test: setup
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal

# Counting lines doubles what the tests cost: asked for by itself.
coverage: setup
	$(BIN)/python -m pytest --numprocesses 3 --dist worksteal --cov --cov-report=term:skip-covered

# Another build of PostgreSQL: migrations and roles, and the contract of time series on plain partitions.
test-oldest: setup
	ETL_TEST_POSTGRES_BIN=$(POSTGRES_BIN) $(BIN)/python -m pytest --numprocesses 3 --dist worksteal tests/database tests/timescale

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar --processes 0 sql

fmt: setup
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --disable-progress-bar --processes 0 --quiet sql

bench: setup
	$(BIN)/python -m bench

UV_LOCK = uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header
lock: # needs uv
	$(UV_LOCK) --all-extras pyproject.toml -o requirements.lock
	$(UV_LOCK) pyproject.toml -o requirements-runtime.lock
