# Two commands on a machine with nothing but Python 3.11: make demo, make test.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
LOCK := config/constraints.txt
# Nothing is installed that the lock does not name, nothing is built, and what comes is compared with its hash.
INSTALL := $(BIN)/python -m pip install -q --require-hashes --only-binary :all: -r
INSTALL_ITSELF := $(BIN)/python -m pip install -qq --no-deps --no-index --no-build-isolation -e .
WORKERS ?= 2
# Files run in the order of tests/conftest.py: the long ones first, so that no worker waits for the other's last one.
# A test that hangs fails by a signal, which names its line; a thread would end its process and with it the worker.
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder --maxfail=30 --timeout=180 --timeout-method=signal
# Below these floors every branch is tested.
COMPLETE := admin_app/services/*,admin_app/db/*,admin_app/permissions.py,admin_app/errors.py

.DEFAULT_GOAL := help
.PHONY: help demo test check bench export-1000000 chaos format lint migrate clean import-100000 bulk-10000 explain lock audit sbom fuzz

help: ## list the commands
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

demo: $(VENV)/runtime.stamp ## a desk with believable data on http://127.0.0.1:8000/admin
	$(BIN)/python -m admin_app demo

test: $(VENV)/dev.stamp ## every test, on SQLite, on PostgreSQL and in a browser
	$(BIN)/python -m tests.support.browser
	$(BIN)/python -m tests.support.pgbouncer
	$(BIN)/python -m tests.support.prometheus
	$(PYTEST)

check: $(VENV)/dev.stamp lint ## what must pass before a commit: lint, types, import contracts, tests, coverage
	$(BIN)/python -m tests.support.browser
	$(BIN)/python -m tests.support.pgbouncer
	$(BIN)/python -m tests.support.prometheus
	$(BIN)/python -m coverage erase
	$(PYTEST) --cov --cov-report=term --cov-fail-under=95
	$(BIN)/python -m coverage report --include='$(COMPLETE)' --fail-under=100

import-100000: $(VENV)/dev.stamp ## import a hundred thousand rows, killed midway and again, and print how fast and with how much memory
	IMPORT_ROWS=100000 $(BIN)/python -m pytest -q -s tests/faults/test_import_of_100000_rows.py

export-1000000: $(VENV)/dev.stamp ## export a million tickets over http and print seconds, first byte, memory and what others wait; BENCH_ROWS=100000 for fewer
	$(BIN)/python -m tests.benchmarks.exporting

bulk-10000: $(VENV)/dev.stamp ## change ten thousand tickets in one batch and undo it, for every kind of change, and print seconds and statements
	BULK_ROWS=10000 $(BIN)/python -m pytest -q -s tests/services/batches/bulk/test_ten_thousand.py

explain: $(VENV)/dev.stamp ## how DATABASE_URL answers each pair of filters with each order of the ticket list: from which index, and how much it reads
	EXPLAIN_ON="$(DATABASE_URL)" $(BIN)/python -m pytest -q -s tests/services/pages/test_ticket_paths.py -k million

chaos: $(VENV)/dev.stamp ## every fault in full: 1,000 kills per database, 200 cut lines each way, every fault through every form, 1,000 guesses
	CHAOS=1 $(BIN)/python -m pytest -n 0 tests/faults tests/web/test_faults_through_forms.py tests/web/test_guesses.py

bench: $(VENV)/dev.stamp ## every page beside stock SQLAdmin and a bare application, BENCH_ROWS=1000000 tickets; BENCH_AGAINST=file compares
	$(BIN)/python -m tests.benchmarks

fuzz: $(VENV)/dev.stamp ## 50,000 generated requests over all routes, half of them on each database; FUZZ_SEED=7 makes others
	FUZZ=25000 $(BIN)/python -m pytest -q -s tests/web/test_generated_requests.py

format: $(VENV)/dev.stamp ## put the code in shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/dev.stamp ## shape, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

migrate: $(VENV)/runtime.stamp ## bring the database of DATABASE_URL to the newest schema
	$(BIN)/python -m admin_app migrate

lock: $(VENV)/dev.stamp ## pin what pyproject.toml asks for, with hashes; UPGRADE=1 takes the newest of everything
	$(BIN)/python -m tests.support.lock

audit: $(VENV)/audit.stamp ## known vulnerabilities in what is pinned; what could not be audited is red
	$(BIN)/python -m tests.support.audit

sbom: $(VENV)/audit.stamp ## what the desk runs on, as CycloneDX JSON in build/sbom.json
	$(PYTHON) -m venv --clear build/runtime
	build/runtime/bin/python -m pip install -q --require-hashes --only-binary :all: -r $(LOCK)
	$(BIN)/cyclonedx-py environment build/runtime --pyproject pyproject.toml --output-reproducible --validate -o build/sbom.json

clean: ## remove what can be made again; var/ with the data stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.* htmlcov build dist *.egg-info
	find admin_app alembic tests -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/runtime.stamp: pyproject.toml $(LOCK) | $(BIN)/python
	$(INSTALL) $(LOCK)
	$(INSTALL_ITSELF)
	@touch $@

$(VENV)/dev.stamp: pyproject.toml $(LOCK) config/constraints-dev.txt | $(BIN)/python
	$(INSTALL) config/constraints-dev.txt
	$(INSTALL_ITSELF)
	@touch $@ $(VENV)/runtime.stamp

$(VENV)/audit.stamp: $(VENV)/runtime.stamp config/constraints-audit.txt
	$(INSTALL) config/constraints-audit.txt
	@touch $@
