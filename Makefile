# bidwatch: `make nightly` runs the main job on the sample county, `make test` runs the tests.
# Everything is installed into .venv from requirements.lock, with hashes.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# A file's tests share what they set up, so a file stays with one worker; tests/conftest.py puts the long files first.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
AS_OF ?= 2026-06-30
SAMPLE := --seed 79 --lots 400 --nights 30
# Rings take tactics and levels of care in turns: so many lots have one ring of each kind.
REPORT := --seed 20260701 --lots 18400
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup nightly test trials test-quick check format catalogue bench big-openings queue-load sample marginals rehearsal detector-report \
  ring-report evaluate lock clean

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

setup: $(VENV)/.done ## Install everything into .venv

$(VENV)/.done: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ]; then apt-get update -q && apt-get install -q -y python3-venv; \
	  else echo "python3-venv is missing; run: sudo apt-get install python3-venv"; exit 1; fi; }
	@echo "Installing into $(VENV), about a minute ..."
	@$(PYTHON) -m venv $(VENV)
	@# The lock is complete: pip need not resolve (and cannot, with hashes, where a package asks for an extra).
	@$(BIN)/python -m pip install -q --require-hashes --no-deps -r requirements.lock
	@$(BIN)/python -m pip install -q --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check
	@touch $@

nightly: setup ## Run one night on the sample county and show what it found
	@$(BIN)/bidwatch nightly --home workspace --inbox data/sample/inbox --as-of $(AS_OF); \
	  code=$$?; [ $$code -le 1 ] || exit $$code

test: setup ## Run the tests but the trials
	$(PYTEST) -m "not trial"

trials: setup ## Run the trials: a night killed anywhere, the deployed flow, simulated counties, a newcomer's edits
	$(PYTEST) -m trial

test-quick: setup ## Run the tests of detectors, values, reports and layout that are quick, while you work
	$(PYTEST) -m "not slow and not trial" tests/detectors tests/reports tests/pipelines/values tests/test_*.py

check: setup ## Formatting, lint, types, every test, generated pages
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m reports.catalogue --check
	$(PYTEST)

format: setup ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

catalogue: setup ## Write detectors/CATALOGUE.md anew
	$(BIN)/python -m reports.catalogue

bench: setup ## Measure against the plain read_csv and GROUP BY of the same run
	$(BIN)/python tests/benchmarks/bench.py

big-openings: setup ## Every detector on openings of 2,000 bidders and a firm in 10,000 lots
	$(BIN)/python tests/benchmarks/big_openings.py

queue-load: setup ## Eight people at once in the queue: no step lost, how many a second
	$(BIN)/python tests/benchmarks/queue_load.py

sample: setup ## Write the sample county anew
	rm -rf data/sample/inbox data/sample/truth
	$(BIN)/bidwatch simulate --out data/sample $(SAMPLE)

marginals: setup ## Compare a simulated honest county with the real data sets
	rm -rf workspace/honest
	$(BIN)/bidwatch simulate --honest --out workspace/honest --lots 8000 --nights 1 --format parquet
	$(BIN)/python tests/benchmarks/marginals.py --county workspace/honest

rehearsal: setup ## Let careful rings try the catalogue anew, after a detector was added
	$(BIN)/python -m pipelines.workshop.rehearsal

detector-report: setup ## Judge every detector by simulated truth and real sets (six minutes), write detectors/REPORT.md
	$(BIN)/python tests/benchmarks/detector_report.py $(REPORT) --page detectors/REPORT.md

ring-report: setup ## Judge the search for rings on 30 counties and open markets (an hour), write pipelines/rings/REPORT.md
	$(BIN)/python tests/benchmarks/ring_report.py --page pipelines/rings/REPORT.md

evaluate: setup ## Learn from the labels of real sets, print the figures beside those to beat (two minutes)
	$(BIN)/python tests/benchmarks/label_markets.py --results tests/benchmarks/label_markets.json

lock: setup ## Resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	  --generate-hashes --no-annotate --no-header -q -o requirements.lock

clean: ## Remove the sample's workspace
	rm -rf workspace
