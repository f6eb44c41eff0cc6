# Targets are described in README.md. `make` alone prints them.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help install demo test check format bench soak lock clean

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv .venv

.venv/.installed: $(BIN)/python requirements.txt pyproject.toml
	$(PIP) install --require-hashes -r requirements.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.developing: .venv/.installed requirements-dev.txt
	$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

install: .venv/.installed ## creates .venv with the program filplus in .venv/bin

demo: install ## tells the whole story on embedded defaults, and goes on serving (ARGS=--once: ends)
	$(BIN)/filplus demo $(ARGS)

test: .venv/.developing ## runs every test; installs what a test needs where it can
	$(BIN)/python -m tests.components
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not soak" $(ARGS)

check: .venv/.developing ## format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: .venv/.developing ## rewrites the code in the house's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.developing ## runs the benchmarks (ARGS="NAME… --quick"), writes bench.json
	$(BIN)/python -m tests.bench $(ARGS)

soak: .venv/.developing ## the tests' faults, thousands of times (SEED=, MINUTES=)
	SEED=$(SEED) MINUTES=$(MINUTES) $(BIN)/python -m pytest -m soak -o timeout=0 $(ARGS)

lock: .venv/.developing ## resolves the dependencies anew
	$(PIP) install uv
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --extra build --extra dev -c requirements.txt -o requirements-dev.txt

clean: ## removes what the other targets made
	rm -rf .venv .demo .mypy_cache .pytest_cache .ruff_cache .hypothesis bench.json
