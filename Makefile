# Concert's commands. `make` alone lists them.
#
# A bare machine needs python3.11, make and pip; everything else is made here. The real engines for the tests come from
# the system's packages (PostgreSQL, Chromium) and from Apache's own artefacts (Kafka: Java 17 and Maven).

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON  ?= python3.11
BIN     := .venv/bin
COMPOSE ?= docker compose
PYTEST  ?=
# One more than there are processors: tests of engines that are killed or cut off wait for a good part of their time.
JOBS    ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
CODE    := shared services concert $(wildcard migrations) tests

RUNTIME := .venv/.runtime
DEV     := .venv/.dev
PIP     := $(BIN)/python -m pip --quiet install

# --no-emit-*: the locks carry versions and hashes, never an address; where packages come from is the machine's affair.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
        --no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

.PHONY: help env run test check format bench backtest contracts chaos soak compose-test nightly fuzz engines kafka postgres \
        engines-down images up down logs backup restore upgrade lock clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(DEV) ## The environment in .venv, from the hash-locked requirements

# The stamps are written last, so an interrupted installation is taken up again; a second run costs nothing.
# The locks name all there is to install, so nothing is resolved anew: the pip of Python 3.11 cannot where a package asks
# for an extra of another. setuptools comes from a lock of its own, so that installing the `concert` command fetches nothing unhashed.
$(RUNTIME): requirements/build.txt requirements/runtime.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) --no-deps --require-hashes -r requirements/build.txt -r requirements/runtime.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV): $(RUNTIME) requirements/dev.txt
	$(PIP) --no-deps --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip check
	@touch $@

run: $(RUNTIME) ## All of Concert in one process on one port, with the embedded engines
	@exec $(BIN)/concert run

test: $(DEV) engines ## Every test that can run here; says what it skipped and why (PYTEST="-k name" narrows)
	$(BIN)/python -m pytest -ra --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder --durations 15 $(PYTEST)

check: $(DEV) ## Format, lint, types, and who may import whom
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/python -m pytest -q tests/test_imports.py

format: $(DEV) ## Format and put the imports in order
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

bench: $(DEV) ## The speed and memory table, from one run
	$(BIN)/python -m tests.bench

backtest: $(DEV) ## The forecast of every quarter of the CRM data set, made in its middle, against what came
	$(BIN)/python -m tests.backtest

contracts: $(DEV) ## Write contracts/ anew from the code, and say what it would break for others
	$(BIN)/python -m tests.contracts
	$(BIN)/python -m tests.contracts check

chaos: $(DEV) ## Kill every process under load, then compare the books
	$(BIN)/python -m tests.chaos

soak: $(DEV) engines ## Events twice, late and poisoned while parts die and stand still, on both engines (SECONDS=300, EVENTS)
	SECONDS=$(or $(SECONDS),300) $(BIN)/python -m tests.soak

compose-test: $(DEV) ## Concert in containers, broken in every way, upgraded, saved and restored (ONLY="kafka" narrows)
	$(BIN)/python -m tests.compose

nightly: $(DEV) engines ## The tests that take minutes, five minutes of soak, an hour of it, ten thousand kills (KILLS, KILLS_ON_SERVERS)
	$(BIN)/python -m pytest -ra -m nightly
	SECONDS=300 $(BIN)/python -m tests.soak
	SECONDS=$(or $(SECONDS),3600) $(BIN)/python -m tests.soak
	KILLS=$(or $(KILLS),7000) KILLS_ON_SERVERS=$(or $(KILLS_ON_SERVERS),3000) $(BIN)/python -m tests.chaos

fuzz: $(DEV) ## Many random requests to every operation of every service, and many random lives of companies
	FUZZ=100 $(BIN)/python -m pytest -q tests/surface/test_documents_hold.py
	LIVES=40 $(BIN)/python -m pytest -q --timeout 3600 tests/journeys/test_past_stays_true.py

engines: ## Fetch what the real engines need, once; an engine that cannot be had is said and passed over
	@deploy/engines/postgres.sh fetch || true
	@deploy/engines/kafka.sh fetch || true
	@deploy/engines/chromium.sh fetch || true
	@deploy/engines/prometheus.sh fetch || true

# Both print what a shell needs to run Concert on them: eval "$(make -s kafka postgres)"
kafka: ## Start Apache Kafka on loopback and print its address
	@address=$$(deploy/engines/kafka.sh start); echo "export CONCERT_BUS=kafka CONCERT_KAFKA_BOOTSTRAP_SERVERS=$$address"

postgres: ## Start a private PostgreSQL on loopback, a database per service, and print its address
	@url=$$(deploy/engines/postgres.sh services); echo "export CONCERT_STORE_URL='$$url'"

engines-down: ## Stop what `make kafka` and `make postgres` started, and drop its data
	@deploy/engines/kafka.sh remove
	@deploy/engines/postgres.sh remove

images: ## Build stand-ins for the public images, for a machine that reaches no container registry
	@deploy/images.sh

up: ## Everything in containers, on Kafka and PostgreSQL; returns when all are healthy
	$(COMPOSE) up --build --detach --wait

down: ## Stop the containers; their data stays
	$(COMPOSE) down

logs: ## Follow the containers' logs
	$(COMPOSE) logs --follow --tail=100

backup: ## Copy databases, log and secrets of the containers to TO=backups/<moment>; the log rests meanwhile, the services go on
	@COMPOSE="$(COMPOSE)" deploy/backup.sh $(TO)

restore: ## Put back what `make backup` has kept: FROM=backups/<moment>
	@COMPOSE="$(COMPOSE)" deploy/restore.sh $(FROM)

upgrade: ## From the version that runs in containers to the one in this tree, after a backup
	@COMPOSE="$(COMPOSE)" deploy/upgrade.sh $(TO)

lock: $(DEV) ## Renew the requirement locks (UPGRADE=1 takes new versions)
	$(LOCK) requirements/build.in -o requirements/build.txt
	$(LOCK) requirements/runtime.in -o requirements/runtime.txt
	$(LOCK) requirements/dev.in -o requirements/dev.txt

clean: ## Remove the environment and the tools' caches (the store in .concert stays)
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info build
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +
