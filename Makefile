# Needs Python 3.11 to 3.14 and make, nothing else. `make help` lists the words.

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
RUNTIME := $(VENV)/.runtime-installed
DEV := $(VENV)/.dev-installed
UV_VERSION := 0.13.8
COMPILE := uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

.DEFAULT_GOAL := help
.PHONY: help run install install-dev test test-long check format lock bench clean

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUNTIME) ## start everything on this machine, with a demo project in it
	@exec $(BIN)/folio demo

install: $(RUNTIME) ## make the environment with what the product needs
install-dev: $(DEV) ## the same, and what tests and checks need

test: $(DEV) ## run the tests
	$(BIN)/python -m pytest -m "not long"

test-long: $(DEV) ## run the tests that take their time
	$(BIN)/python -m pytest -m long --timeout 1200

check: $(DEV) ## formatting, lint, types, import contracts, tidiness
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_tidy.py tests/test_architecture.py

format: $(DEV) ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV) ## measure, as ratios to a raw baseline of the same run
	$(BIN)/python -m bench

lock: ## choose the versions again and write them, with hashes, to requirements/
	@test -x .uv/bin/uv || { $(PYTHON) -m venv .uv && .uv/bin/python -m pip install --quiet uv==$(UV_VERSION); }
	PATH="$(CURDIR)/.uv/bin:$$PATH" && \
	$(COMPILE) pyproject.toml --extra embedded --group build -o requirements/runtime.txt && \
	$(COMPILE) pyproject.toml --extra embedded --group build --group dev \
		-c requirements/runtime.txt -o requirements/dev.txt

clean: ## remove the environment and caches; data under .folio stays
	rm -rf $(VENV) .uv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Folio needs Python 3.11 to 3.14 on PATH." >&2; exit 1; }
	@echo "making the environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

# The stamps are the files a warm start compares: nothing is asked of pip until a lock changes.
$(RUNTIME): requirements/runtime.txt pyproject.toml | $(BIN)/python
	@echo "installing the locked dependencies ..."
	@$(PIP) install --require-hashes -r requirements/runtime.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements/dev.txt pyproject.toml | $(BIN)/python
	@echo "installing the locked dependencies, tests and checks included ..."
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(RUNTIME)
