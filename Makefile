# `make help` lists the commands. All is made inside this folder (.venv, .cache, demo), but for what the tests on a cluster
# build: that is in $PENSTOCK_TEST_CACHE, else in the user's cache folder, so that another clone finds it there.

PYTHON ?= python3
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin
SOURCES := operator job-images tests testcluster bench examples
TESTCLUSTER := PYTHONPATH=job-images $(BIN)/python -m testcluster
# In the order of their folders: with the files of most tests first, as is the default, the slow ones of few would be last.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help setup demo unit test soak cluster cluster-down check generated format bench images constraints clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/demo.stamp ## Run the examples on this machine, with no cluster, up to a prediction over HTTP
	$(BIN)/python examples/demo.py

unit: $(or $(wildcard $(VENV)/dev.stamp),$(VENV)/unit.stamp) ## Run the fast tests: with Python alone, no cluster, in minutes [TESTS=tests/unit/dataset WORKERS=2]
	$(PYTEST) -m "not soak and not s3 and not go" $(or $(TESTS),tests/unit)

# Empty where all of it is in tests/unit or tests/local, which need no cluster.
ON_CLUSTER = $(filter-out tests/unit% tests/local%,$(or $(TESTS),all))

test: $(VENV)/dev.stamp ## Run all tests, those on a real cluster too [TESTS=tests/unit/dataset WORKERS=2 KUBECONFIG=…]
ifeq ($(ON_CLUSTER),)
	$(PYTEST) $(TESTS)
else
	$(TESTCLUSTER) prepare
	$(TESTCLUSTER) run -- env $(PYTEST) $(TESTS)
endif

soak: $(VENV)/dev.stamp ## Run the long form of the tests that have one: loads, sweeps (see CONTRIBUTING.md)
ifeq ($(ON_CLUSTER),)
	$(PYTEST) -m soak $(TESTS)
else
	$(TESTCLUSTER) prepare
	$(TESTCLUSTER) run -- env $(PYTEST) -m soak $(TESTS)
endif

cluster: $(VENV)/dev.stamp ## Bring the test cluster up and leave it up; prints the line that selects it
	@$(TESTCLUSTER) up

cluster-down: $(VENV)/dev.stamp ## Remove the test cluster: its processes, mounts, networks and files
	@$(TESTCLUSTER) down

check: $(VENV)/dev.stamp ## Lint, types, layers, generated files
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) -s generated && git diff --exit-code --stat crds helm docs/reference docs/schemas

setup: $(VENV)/dev.stamp ## Make the virtual environment with all that development needs

generated: $(VENV)/dev.stamp ## Write again what is made of the types: CRDs, schemas of the chart and of editors, docs/reference
	$(BIN)/python -m penstock.api.crd crds
	$(BIN)/python -m penstock.act.chart helm/penstock/values.schema.json
	$(BIN)/python -m penstock.act.chart_overrides helm/penstock/files/overrides.yaml
	$(BIN)/python -m penstock.reference docs

format: $(VENV)/dev.stamp ## Format the code and mend what the linter can
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/ruff check --fix $(SOURCES)

bench: $(VENV)/dev.stamp ## Measure against the peers (minutes; see bench/README.md)
	$(BIN)/pip install -q --no-deps --upgrade --target .cache/bench-peers -r bench/requirements.txt
	PYTHONPATH=.cache/bench-peers $(BIN)/python bench/dataset.py
	$(BIN)/python bench/grid.py
	$(BIN)/python bench/serving.py
	$(TESTCLUSTER) run -- $(BIN)/python bench/runs.py one --rounds 5
	$(TESTCLUSTER) run -- $(BIN)/python bench/runs.py many --rounds 1
	$(BIN)/python bench/runs.py many crowded --lifted
	$(TESTCLUSTER) run -- $(BIN)/python bench/triggers.py

images: | $(VENV)/bin/python ## Build the container images [IMAGES="jobs serving operator torch" ENGINE=buildah BASE_IMAGE=… REGISTRY=… TAG=… SIGN=… PINS=…]
	PYTHONPATH=job-images $(BIN)/python -m penstock_images $(IMAGES) --engine "$(ENGINE)" --base-image "$(BASE_IMAGE)" --registry "$(REGISTRY)" --tag "$(TAG)" --sign "$(SIGN)" --pins "$(PINS)"

constraints: ## Resolve the dependencies anew and write constraints.txt
	rm -rf .cache/constraints && $(PYTHON) -m venv .cache/constraints
	.cache/constraints/bin/pip install -q --upgrade pip
	.cache/constraints/bin/pip install -q -e '.[jobs,torch,serving,operator]' --group dev
	.cache/constraints/bin/pip freeze --exclude-editable > constraints.txt
	rm -rf .cache/constraints

clean: ## Remove everything that was made here
	rm -rf $(VENV) .cache demo dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Penstock needs Python 3.11 or later; name one with: make PYTHON=/path/to/python3.11"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing (on Debian: apt install python3-venv)."; exit 2; }
	$(BIN)/pip install -q --upgrade pip

$(VENV)/demo.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -c constraints.txt -e '.[jobs,serving]'
	@touch $@

# Without torch, which is larger than all the others; the tests of networks are skipped then.
$(VENV)/unit.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -c constraints.txt -e '.[jobs,serving,operator]' --group dev
	@touch $@ $(VENV)/demo.stamp

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install -q -c constraints.txt -e '.[jobs,torch,serving,operator]' --group dev
	@touch $@ $(VENV)/demo.stamp
