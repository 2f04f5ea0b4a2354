# Everything a fresh clone needs: `make run` and `make test` set up .venv by themselves.
# PYTHON chooses the interpreter (>= 3.11) the environment is made with.
PYTHON ?= python3
ifeq ($(strip $(PYTHON)),)
override PYTHON := python3
endif
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help run serve kernel docs docs-serve test test-clients lint types generate check-generated bench fuzz soak lock audit dist clean

help:
	@echo "make run       build the quickstart, serve it on the simulator, send requests through it"
	@echo "make test      lint, types, generated files, tests"
	@echo "make test-clients  Claude Code, Codex, aider and SDKs, installed from npm and PyPI, through the gateway"
	@echo "make docs      the pages of docs/ as a site, in build/site; make docs-serve shows it while you write"
	@echo "make serve     build routing.yaml (SPEC=...) and serve it as written"
	@echo "make kernel    build the scan kernel in place (needs Cython, a C compiler, Python's headers)"
	@echo "make generate  rewrite generated/ and what of docs/ is made"
	@echo "make dist      sdists, wheels, bill of materials and checksums into dist/; SIGN=KEY.pem signs them"
	@echo "make lock      rewrite requirements.lock and those of the image, by version and hash"
	@echo "make audit     ask the advisory databases about what is locked (needs the network)"
	@echo "make bench     decision time, the scan beside others, gateway overhead, translation, check time, proofs"
	@echo "make soak      KILLED_LIVES (default 40) gateways killed, 1,000 requests across 20 reloads, 20 rolling"
	@echo "               restarts, 1,000 streams at once, slow readers, then SOAK_SECONDS (default 600) of high load"
	@echo "make fuzz      hostile specs and wire bytes for FUZZ_SECONDS seconds (default 150), then the"
	@echo "               prover against trying on FUZZ_SPECS random specs (default 10000, half an hour),"
	@echo "               then tests/property on FUZZ_EFFORT (default 10) times the examples of the suite"

# Editable installs build the scan kernel in place, so its sources are reasons to install anew.
KERNEL := runtime/hatch_build.py $(filter-out %/_kernel.c,$(wildcard runtime/lynkrc_runtime/scan/*.[ch] runtime/lynkrc_runtime/scan/*.pxi runtime/lynkrc_runtime/scan/*.pyx runtime/lynkrc_runtime/scan/kernel_sources.py))

$(READY): pyproject.toml $(KERNEL)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "lynkrc needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1). Set PYTHON=."; exit 1; }
	@echo "setting up $(VENV) (once)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --no-compile --editable . --group dev
	@touch $@

run: $(READY)
	@$(BIN)/python examples/quickstart/demo.py

SPEC ?= $(if $(wildcard routing.yaml),routing.yaml,examples/quickstart/routing.yaml)
serve: $(READY)
	@rm -rf build/serve # a spec may have had another name the last time
	@$(BIN)/lynkrc build "$(SPEC)" -o build/serve
	@$(BIN)/lynkrc serve build/serve

# What installing does, for a plain checkout: the scan kernel beside its sources.
kernel:
	@$(PYTHON) runtime/hatch_build.py

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(READY)
	@$(BIN)/mypy

check-generated: $(READY)
	@$(BIN)/python generated/regenerate.py --check

generate: $(READY)
	@$(BIN)/python generated/regenerate.py

# The variable is the theme's: its author's word on a later MkDocs is not about this site.
MKDOCS := @NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/python -m mkdocs
docs: $(READY)
	$(MKDOCS) build --quiet
	@echo "built build/site: any server of files can show it"

docs-serve: $(READY)
	$(MKDOCS) serve

# That the generated files are fresh is one of the tests. Types are checked beside the tests, whose two
# workers leave some time of the cores; what mypy says is shown whole after them.
TYPES_SAID := build/types.txt
# Three workers keep two cores busy: some tests wait, for a timer or another process. Files are begun
# in the order of testpaths, where the long ones come first.
test: $(READY) lint
	@mkdir -p $(dir $(TYPES_SAID))
	@$(BIN)/mypy >$(TYPES_SAID) 2>&1 & types=$$!; \
	  $(BIN)/pytest -q -n 3 --dist loadfile --no-loadscope-reorder; tests=$$?; \
	  wait $$types; types=$$?; \
	  cat $(TYPES_SAID); \
	  test $$tests -eq 0 || echo "make test: tests failed, see above" >&2; \
	  test $$types -eq 0 || echo "make test: types failed, see above" >&2; \
	  test $$tests -eq 0 && test $$types -eq 0

# Real clients, pinned in tests/clients; CLIENT_TESTS chooses among them as pytest's -k does.
CLIENTS := .clients
CLIENT_FILES := $(wildcard tests/clients/node/package*.json tests/clients/python/requirements*.txt)
$(CLIENTS)/.ready: $(READY) $(CLIENT_FILES)
	@echo "installing the clients into $(CLIENTS) (once)"
	@mkdir -p $(CLIENTS)/node
	@cp tests/clients/node/package*.json $(CLIENTS)/node
	@ln -sfn $(CURDIR)/tests/clients/node/*.mjs $(CLIENTS)/node
	@cd $(CLIENTS)/node && npm ci --no-audit --no-fund --loglevel=error
	@$(PYTHON) -m venv $(CLIENTS)/python
	@$(CLIENTS)/python/bin/python -m pip install --quiet --disable-pip-version-check -r tests/clients/python/requirements.txt
	@$(PYTHON) -m venv $(CLIENTS)/aider
	@$(CLIENTS)/aider/bin/python -m pip install --quiet --disable-pip-version-check -r tests/clients/python/requirements-aider.txt
	@touch $@

test-clients: $(CLIENTS)/.ready
	@CLIENTS=$(CURDIR)/$(CLIENTS) $(BIN)/pytest -q -n 2 --dist load tests/clients $(if $(CLIENT_TESTS),-k "$(CLIENT_TESTS)")

# What has no wheel for this machine is left out, one by one, and told as missing in the figures.
BESIDE := google-re2 hyperscan pyahocorasick
bench: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --group bench \
	  || for one in $(BESIDE); do $(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --only-binary :all: $$one || echo "$$one cannot be installed here"; done
	@$(BIN)/pytest -q -p no:xdist tests/bench
	@if command -v callgrind_control >/dev/null; \
	  then PYTHONPATH=.:runtime $(BIN)/python tests/bench/count_instructions.py; \
	  else echo "valgrind is not installed: no instructions counted"; fi

# atheris has no wheel for every Python: without it the inputs are mutated at random.
FUZZ_SECONDS ?= 150
FUZZ_SPECS ?= 10000
FUZZ_EFFORT ?= 10
fuzz: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --group fuzz \
	  || echo "atheris cannot be installed here: fuzzing without coverage"
	@PYTHONPATH=.:runtime FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_SPECS=$(FUZZ_SPECS) \
	  FUZZ_EFFORT=$(FUZZ_EFFORT) $(BIN)/python -m tests.fuzz

# Every version is chosen once, and every file known by hash: of all that a whole install needs, of
# what the image holds, and of what builds the gateway's wheel in it.
LOCK_TOOLS := @$(BIN)/python -m pip install --quiet --disable-pip-version-check --group lock
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --upgrade \
  --no-header --no-annotate --no-emit-index-url
lock: $(READY)
	$(LOCK_TOOLS)
	@$(COMPILE) pyproject.toml --extra redis --output-file requirements.lock
	@$(COMPILE) runtime/pyproject.toml --extra aws --extra gcp --extra otel --extra redis --constraint requirements.lock \
	  --output-file deploy/requirements-image.lock
	@$(COMPILE) deploy/requirements-build.in --output-file deploy/requirements-build.lock

audit: $(READY)
	$(LOCK_TOOLS)
	@for lock in requirements.lock deploy/requirements-image.lock deploy/requirements-build.lock; do \
	  $(BIN)/pip-audit --requirement $$lock --require-hashes --disable-pip --strict || exit; done

# SIGN=KEY.pem signs what is made, BUILDER=URI says who builds.
dist: $(READY)
	@$(BIN)/python deploy/packages.py dist $(if $(SIGN),--sign "$(SIGN)") $(if $(BUILDER),--builder "$(BUILDER)")

SOAK_SECONDS ?= 600
soak: $(READY)
	@KILLED_LIVES=$(or $(KILLED_LIVES),40) $(BIN)/pytest -q -p no:xdist tests/e2e/test_killed_gateways.py
	@LYNKRC_IN_FLIGHT=1000 LYNKRC_RELOADS=20 LYNKRC_RESTARTS=20 $(BIN)/pytest -q -p no:xdist \
	  tests/e2e/test_reload_in_flight.py tests/e2e/test_workers_storms.py
	@PYTHONPATH=.:runtime $(BIN)/python -m tests.soak.many_streams
	@PYTHONPATH=.:runtime $(BIN)/python -m tests.soak.slow_readers
	@PYTHONPATH=.:runtime SOAK_SECONDS=$(SOAK_SECONDS) $(BIN)/python -m tests.soak

clean:
	rm -rf $(VENV) $(CLIENTS) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
