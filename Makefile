# What there is to do with a checkout. Every target sets up what it needs.
.DEFAULT_GOAL := help
PYTHON := .venv/bin/python
SOURCES := snapaudit tests examples
# Tests wait for daemons and deadlines as often as for the processor: three of them share two cores.
WORKERS ?= 3
PYTEST := $(PYTHON) -m pytest -n $(WORKERS) --dist worksteal
# What decides and deletes. Its own tests reach its floor; to be measured costs a test as much again.
CORE := tests/enforce
FUZZ_SECONDS ?= 60
FUZZ_SEED ?= 1

.PHONY: help
help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

.PHONY: setup
setup: ## system packages and the virtual environment
	@tools/setup.sh

.PHONY: demo
demo: setup ## audit a demo fleet, no daemon and no account needed
	@.venv/bin/snapaudit audit --demo -f table \
	    -o html=reports/demo/audit.html -o json=reports/demo/audit.json \
	    -o markdown=reports/demo/audit.md -o csv=reports/demo/audit.csv \
	    -o xlsx=reports/demo/audit.xlsx || test $$? -eq 3
	@.venv/bin/snapaudit report --demo -o html=reports/demo/weekly.html \
	    -o json=reports/demo/weekly.json -o markdown=reports/demo/weekly.md \
	    -o csv=reports/demo/weekly.csv -o xlsx=reports/demo/weekly.xlsx || test $$? -eq 3
	@echo "Written to reports/demo/: audit and weekly, as .html, .json, .md, .csv, .xlsx" >&2
	@echo "(The demos have machines and endpoints that cannot be read whole, so both end with 3.)" >&2

.PHONY: test
test: ## the whole suite, with the real back ends it starts itself
	@tools/setup.sh beds
	@$(MAKE) --no-print-directory check
	$(PYTEST) --cov --cov-report= $(CORE)
	@$(MAKE) --no-print-directory floor
	$(PYTEST) --ignore=$(CORE) --ignore=tests/docs

.PHONY: coverage
coverage: ## the whole suite again, and what of the whole package it reaches
	@tools/setup.sh beds
	$(PYTEST) --cov --cov-report=term:skip-covered
	@$(MAKE) --no-print-directory floor

.PHONY: floor
floor:
	$(PYTHON) -m coverage report --include='snapaudit/enforce/*' --skip-covered --fail-under=99

.PHONY: check
check: setup ## lint, types, import contracts: fast, no back ends
	.venv/bin/ruff check $(SOURCES)
	.venv/bin/ruff format --check $(SOURCES)
	.venv/bin/mypy
	MYPYPATH=examples/plugin .venv/bin/mypy --explicit-package-bases examples/audit_from_python.py examples/plugin/snapaudit_board
	.venv/bin/lint-imports --verbose
	$(PYTHON) -m pytest -q tests/docs

.PHONY: fix
fix: setup ## let the linter repair and format
	.venv/bin/ruff check --fix $(SOURCES)
	.venv/bin/ruff format $(SOURCES)

.PHONY: bench
bench: ## the benchmarks, as ratios against peers measured in the same run
	@tools/setup.sh beds
	$(PYTHON) -m tests.bench

.PHONY: mutants
mutants: setup ## take each protection of the safety core away; the tests have to notice every time
	$(PYTHON) -m tests.mutants

.PHONY: fuzz
fuzz: setup ## damaged input for every parser, FUZZ_SECONDS=60 of processor time each; FUZZ=names of some
	PYTHONHASHSEED=0 nice $(PYTHON) -W ignore -m tests.fuzz $(FUZZ) --seed $(FUZZ_SEED) --seconds $(FUZZ_SECONDS)

.PHONY: soak
soak: setup ## the model of enforcement for a million steps, most of an hour
	SNAPAUDIT_MODEL_SEED=0 SNAPAUDIT_MODEL_STEPS=1000000 $(PYTHON) -m pytest -q tests/enforce/test_tst_01_model.py

.PHONY: examples
examples: setup ## renew reports/examples/ and the golden files; review the difference like code
	$(PYTHON) -m tests.examples

.PHONY: docs
docs: setup ## renew docs/rules.md from the rules and facts
	$(PYTHON) -m tests.handbook

.PHONY: lock
lock: ## renew the lock file
	@tools/lock.sh --upgrade
