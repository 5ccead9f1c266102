# setup: a virtual environment with everything pinned. demo: the whole of it on this machine. test, check: what CI runs.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: setup demo test check fmt bench lock
setup: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	$(BIN)/etl demo

test: setup
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/sqlfluff lint --disable-progress-bar --nofail sql >/dev/null && $(BIN)/sqlfluff lint --disable-progress-bar sql

fmt: setup
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .
	$(BIN)/sqlfluff fix --disable-progress-bar --quiet sql

bench: setup
	$(BIN)/python -m bench

lock:
	uv pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --no-header --all-extras pyproject.toml -o requirements.lock
