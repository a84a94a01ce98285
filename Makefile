# What a developer types; `make` alone explains. Needs Python >= 3.11 and make, nothing else.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
LIGHT := .venv-client
JUDGES := .venv-judges
BIN := $(VENV)/bin
INSTALL := -m pip --disable-pip-version-check install --quiet --no-deps
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --no-header --quiet
DATA ?= qdepot-data
PORT ?= 8484

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- The environment: made on first use, renewed when a lock file changes -----------------------------------------

# Prints the first Python that is new enough. `make PYTHON=/path/to/python ...` decides otherwise.
define FIND_PYTHON
for python in $${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14}; do \
	if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo "$$python"; exit 0; fi; \
done; \
echo "qdepot needs Python 3.11 or newer, and found none. Say where it is: make PYTHON=/path/to/python3.11 ..." >&2; exit 1
endef
export PYTHON

# Installs a lock file into $(VENV), and shows how far it has come: pip names each package as it fetches it.
define INSTALL_LOCK
	@[ -x $(BIN)/python ] || { python=$$($(FIND_PYTHON)); echo "Making $(VENV) with $$($$python --version) ..."; $$python -m venv $(VENV); }
	@total=$$(grep -c '==' $<); echo "Installing up to $$total packages named in $< into $(VENV) (once) ..."; \
	$(BIN)/python -m pip --disable-pip-version-check install --no-deps --progress-bar off --require-hashes -r $< | awk -v total=$$total \
		-v terminal=$$([ -t 1 ] && echo 1 || echo 0) '\
		/^Collecting / { n++; if (terminal) { printf "\r\033[K  %d of %d: %s", n, total, $$2; fflush() } \
			else if (n % 20 == 0) { printf "  %d of %d\n", n, total; fflush() } } \
		/^Installing collected/ { printf "%s  unpacking %d packages ...", (terminal ? "\r\033[K" : ""), n; fflush() } \
		END { if (n) printf "%s\n", (terminal ? "\r\033[K  done" : " done") }'
	@touch $@
endef

.PHONY: venv
venv: $(VENV)/.installed ## Make .venv with all that the project needs

$(VENV)/.locked: requirements/dev.txt
	$(INSTALL_LOCK)

# hatchling is in the lock, so the build needs no index of its own.
$(VENV)/.installed: $(VENV)/.locked pyproject.toml
	@$(BIN)/python $(INSTALL) --no-build-isolation --editable .
	@touch $(VENV)/.run-locked; touch $(VENV)/.runs $@

# What the demo needs, and nothing for tests. Versions are those of requirements/dev.txt, which adds to them.
$(VENV)/.run-locked: requirements/demo.txt
	$(INSTALL_LOCK)

$(VENV)/.runs: $(VENV)/.run-locked pyproject.toml
	@$(BIN)/python $(INSTALL) --no-build-isolation --editable .
	@touch $@

$(LIGHT)/.locked: requirements/client.txt | $(VENV)/.installed
	@$(BIN)/python -m venv $(LIGHT)
	@$(LIGHT)/bin/python $(INSTALL) --require-hashes -r requirements/client.txt
	@touch $@

# Other people's simulators, which need other versions of what qdepot uses.
$(JUDGES)/.locked: requirements/judges.txt | $(VENV)/.installed
	@echo "Installing what $< names into $(JUDGES) ..."; $(BIN)/python -m venv $(JUDGES)
	@$(JUDGES)/bin/python $(INSTALL) --require-hashes -r requirements/judges.txt
	@touch $@

# ---- Use it -------------------------------------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.runs ## Real circuits go in, run, and come back from the object store (under 30 s)
	@$(BIN)/python examples/demo.py

.PHONY: serve
serve: $(VENV)/.installed ## Start the service: PORT=8484 DATA=qdepot-data
	@$(BIN)/qdepot serve --port $(PORT) --data $(DATA)

.PHONY: bench
bench: $(VENV)/.installed ## Measure; prints figures and their spread
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

# ---- Work on it ---------------------------------------------------------------------------------------------------

TESTERS ?= logical
# A file's tests stay together, since they share services that take long to start.
IN_PARALLEL := --numprocesses $(TESTERS) --dist loadfile

.PHONY: test
test: $(VENV)/.installed $(JUDGES)/.locked ## Run the tests, on all processors: TESTERS=1 for one after the other
	@$(BIN)/python -m pytest $(IN_PARALLEL) -m "not slow and not containers and not live"

.PHONY: test-all
test-all: $(VENV)/.installed $(JUDGES)/.locked test-client ## Run the tests that take long or need more as well
	@$(BIN)/python -m pytest $(IN_PARALLEL) -m "not live and not containers"
	@$(BIN)/python -m pytest -m "containers and not live"

.PHONY: judges
judges: $(JUDGES)/.locked ## Make .venv-judges: other people's simulators that answers are compared with

PROGRAMS ?= 10000
.PHONY: test-answers
test-answers: $(VENV)/.installed $(JUDGES)/.locked ## Compare answers with other people's simulators: PROGRAMS=10000 a language
	@PYTHONPATH=tests $(BIN)/python -m answers --programs $(PROGRAMS)
	@$(BIN)/python -m pytest -m answers tests/answers/statistics

.PHONY: docs-answers
docs-answers: $(VENV)/.installed ## Put the report of make test-answers into the documentation
	@PYTHONPATH=tests $(BIN)/python tools/render_answers.py build/answers.json

.PHONY: test-containers
test-containers: $(VENV)/.installed ## Build the image with podman or docker, and run it with real servers; BASE=image
	@QDEPOT_TEST_BASE="$(BASE)" $(BIN)/python -m pytest -m containers tests/containers -s

ENGINE ?= $(shell command -v podman || command -v docker || echo podman)
IMAGE ?= qdepot
BASE ?=
.PHONY: image
image: ## Build the container image: ENGINE=podman IMAGE=qdepot BASE=image
	@$(ENGINE) build $(if $(filter %podman,$(ENGINE)),--format docker) $(if $(BASE),--build-arg BASE=$(BASE)) \
		--build-arg VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) \
		--build-arg REVISION=$$(git rev-parse HEAD 2>/dev/null || echo unknown) -f Containerfile -t $(IMAGE) .

# Hours of it: make torture MINUTES=600 JOBS=100000 KILLS=12000
MINUTES ?= 10
JOBS ?= 2000
KILLS ?= 240
ON ?= servers
CLOUD ?= key
.PHONY: torture
torture: $(VENV)/.installed ## Break everything at random, then count: MINUTES JOBS KILLS ON=servers|sqlite CLOUD=key|tag|neither
	@PYTHONPATH=tests $(BIN)/python -m durability.torture \
		--minutes $(MINUTES) --jobs $(JOBS) --kills $(KILLS) --on $(ON) --cloud $(CLOUD)

.PHONY: fuzz
fuzz: $(VENV)/.installed ## Look for inputs that crash or confuse the readers: MINUTES
	@PYTHONPATH=tests $(BIN)/python -m hostile.fuzz --minutes $(MINUTES)

.PHONY: test-client
test-client: $(LIGHT)/.locked ## Run client and CLI from a wheel without extras, as a laptop has them
	@rm -rf build/wheel
	@$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir build/wheel .
	@$(LIGHT)/bin/python $(INSTALL) --force-reinstall build/wheel/*.whl
	@$(LIGHT)/bin/python -m pytest tests/unit/client tests/unit/cli

.PHONY: lint
lint: $(VENV)/.installed
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/typos

.PHONY: check
check: lint docs test-client ## All that must hold before a change goes in (what .ci/run runs)
	@$(MAKE) --no-print-directory test

.PHONY: fix
fix: $(VENV)/.installed ## Format, and mend what can be mended by machine
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/typos --write-changes

.PHONY: docs
docs: $(VENV)/.installed ## Build the documentation into site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

.PHONY: docs-parts
docs-parts: $(VENV)/.installed ## Renew the parts of the documentation that the code decides
	@$(BIN)/python tools/generate_docs.py

.PHONY: lock
lock: $(VENV)/.installed ## Renew the lock files after pyproject.toml changed; UPGRADE=1 takes newer versions
	@$(LOCK) $(if $(UPGRADE),--upgrade) --all-extras --output-file requirements/dev.txt pyproject.toml
	@$(LOCK) --upgrade --constraints requirements/dev.txt --output-file requirements/client.txt \
		pyproject.toml requirements/client-tests.in
	@$(LOCK) --constraints requirements/dev.txt --extra server --extra aer --extra postgres \
		--output-file requirements/service.txt pyproject.toml requirements/container.in
	@$(LOCK) --constraints requirements/dev.txt --extra server --extra postgres \
		--output-file requirements/front.txt pyproject.toml requirements/front.in
	@$(LOCK) --constraints requirements/dev.txt --output-file requirements/build.txt requirements/build.in
	@$(LOCK) --constraints requirements/dev.txt --extra server --extra aer \
		--output-file requirements/demo.txt pyproject.toml requirements/demo.in
	@$(LOCK) $(if $(UPGRADE),--upgrade) --output-file requirements/judges.txt requirements/judges.in

.PHONY: clean
clean: ## Remove all that was made here, but no data
	@rm -rf $(VENV) $(LIGHT) $(JUDGES) build dist site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
