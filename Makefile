.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

.PHONY: help setup demo down test check lock bench profile simulate faults security audit sbom clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*?## "} {printf "  make %-8s %s\n", $$1, $$2}'

setup: $(READY) ## Install everything into .venv, each file checked against its hash

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) deploy/bootstrap_venv.py $(VENV)
	@touch $@

demo: setup ## Deploy a real package to three real devices on this machine (KEEP=1 leaves it running)
	@$(BIN)/python -m deploy.demo $(if $(KEEP),--keep)

down: ## End what `make demo KEEP=1` left running
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m deploy.local down --folder .outrider/demo; fi

test: setup ## Run all tests against real servers (LONG=1 adds those that take minutes)
	@$(BIN)/python -m pytest $(if $(LONG),,-m "not long") $(ARGS)

check: setup ## Format, lint, types and import rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/mypy --platform win32 --no-warn-unreachable --package worker
	@PYTHONPATH=. $(BIN)/lint-imports

lock: ## Rewrite the lock files from pyproject.toml
	@$(LOCK) --all-extras --output-file requirements.lock pyproject.toml
	@$(LOCK) --group graph --constraints requirements.lock --output-file requirements-graph.lock
	@$(LOCK) --group bench --output-file requirements-bench.lock

bench: setup ## Measure beside baselines run in the same minutes (QUICK=1 for a short run, AREAS="api trust", JSON=FILE)
	@$(BIN)/python -m tests.bench $(if $(QUICK),--quick) $(if $(JSON),--json $(JSON)) $(AREAS)

profile: setup ## Show where the time of a benchmark's area goes (AREA=api, FULL=1, PROCESS="outrider-control worker")
	@$(BIN)/python -m tests.bench.profile $(if $(FULL),--full) $(if $(PROCESS),--process "$(PROCESS)") $(AREA)

simulate: setup ## Bring an app to simulated devices by a rollout and say what each part takes (DEVICES=1000, ARGS=--help for more)
	@$(BIN)/python -m deploy.simulation.at_scale --devices $(or $(DEVICES),1000) $(if $(JSON),--json $(JSON)) $(ARGS)

faults: setup ## Kill, cut and starve real parts; fails where a job is lost or installed twice (QUICK=1 for a short run)
	@$(BIN)/python -m tests.faults $(if $(QUICK),--quick) $(ARGS)

security: setup ## Attack the parts as every attacker; print attacker by attack (LONG=1, FUZZ=10 for more)
	@$(BIN)/python -m pytest tests/security -q --attacks $(if $(LONG),,-m "not long") $(if $(FUZZ),--fuzz $(FUZZ)) $(ARGS)

audit: setup ## Compare what is installed with the lock, and ask what is known against it (status 3: could not ask)
	@$(BIN)/python -m deploy.supply_chain.audit

sbom: setup ## Write the bill of materials and the licences to dist/
	@$(BIN)/python -m deploy.supply_chain.sbom

clean: down ## Remove the environment and everything the local stack left
	@rm -rf $(VENV) .venv-bench .venv-bench.lock .outrider
