# Everything a developer types; `make` alone lists it. CI runs the same targets.
#
# Each kind of install leaves a stamp in .venv, so a second call installs nothing.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
BENCH_VENV := .venv-bench
BENCH_MORE := .venv-bench-more
BENCH_ARGS ?=
PIP_ARGS ?=
PYTEST_ARGS ?=
WORKERS ?= 2
INSTALL = $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints-cpu.txt $(PIP_ARGS)
PYTEST = $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadgroup
NEEDS := setup.py pyproject.toml constraints-cpu.txt $(wildcard garage_like/torch/kernels/compiled/*.[ch])

# Results depend on the number of threads, and on small networks one thread is the fastest.
export OMP_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
# A venv that is active in the caller's shell must not leak into this one.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  \033[36mmake %-9s\033[0m %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: $(VENV)/.dev ## make .venv with all that is needed to work on the project

.PHONY: run
run: $(VENV)/.run ## train, kill half-way, resume, and compare with a run never killed
	@$(BIN)/python examples/kill_and_resume.py

.PHONY: test
test: $(VENV)/.dev ## run the quick tests
	@$(PYTEST) -m "not slow" $(PYTEST_ARGS)

.PHONY: test-slow
test-slow: $(VENV)/.dev ## run the slow tests: learning, kill lottery, resume matrix
	@$(PYTEST) -m slow $(PYTEST_ARGS)

.PHONY: test-all
test-all: test test-slow ## run the quick tests, then the slow ones

.PHONY: trust
trust: $(VENV)/.dev ## try what snapshots promise, and print on how much
	@$(BIN)/python -m pytest -q tests/trust $(PYTEST_ARGS)

.PHONY: lint
lint: $(VENV)/.dev ## check style (ruff)
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet . \
		&& echo "lint: no complaints" || { echo "lint: try \`make format\`"; exit 1; }

.PHONY: type
type: $(VENV)/.dev ## check types (mypy)
	@$(BIN)/mypy

.PHONY: format
format: $(VENV)/.dev ## rewrite the sources in the project's style
	@$(BIN)/ruff check --quiet --fix . ; $(BIN)/ruff format .

.PHONY: docs
docs: $(VENV)/.docs ## build the documentation into docs/_build/html
	@$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs: open docs/_build/html/index.html"

.PHONY: bench
bench: $(BENCH_VENV)/.made $(BENCH_MORE)/.made ## compare with other libraries; writes docs/benchmarks.md (two hours)
	@BENCH_TENSORFLOW=$(CURDIR)/$(BENCH_MORE)/bin/python BENCH_ORBAX=$(CURDIR)/$(BENCH_MORE)/bin/python \
		BENCH_JAX=$(CURDIR)/$(BENCH_MORE)/bin/python \
		$(BENCH_VENV)/bin/python benchmarks/compare.py $(BENCH_ARGS)

.PHONY: clean
clean: ## remove .venv, caches and builds; runs under data/ stay
	@rm -rf $(VENV) $(BENCH_VENV) $(BENCH_MORE) build dist *.egg-info docs/_build docs/api .pytest_cache .mypy_cache .ruff_cache .hypothesis MUJOCO_LOG.TXT
	@find garage_like tests examples benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

# Installs -------------------------------------------------------------------------------------

$(VENV)/.made:
	@python=""; \
	for name in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11 python; do \
		if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			python="$$name"; break; \
		fi; \
	done; \
	if [ -z "$$python" ]; then \
		echo "garage_like needs Python 3.11 or newer; found $$(python3 --version 2>&1)." >&2; \
		echo "Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; \
		exit 1; \
	fi; \
	rm -rf $(VENV); \
	echo "setup: $(VENV) with $$("$$python" --version)"; \
	if ! "$$python" -m venv $(VENV) >$(VENV).log 2>&1; then \
		cat $(VENV).log >&2; rm -rf $(VENV) $(VENV).log; \
		echo "setup: $$python cannot make a virtual environment." >&2; \
		echo "On Debian and Ubuntu: apt-get install python3-venv" >&2; \
		exit 1; \
	fi; \
	rm -f $(VENV).log; touch $@

$(VENV)/.run: $(VENV)/.made $(NEEDS)
	@echo "setup: garage_like and torch (about a minute)"
	@$(INSTALL) -e ".[torch]"
	@touch $@

$(VENV)/.dev: $(VENV)/.made $(NEEDS)
	@echo "setup: garage_like with what the tests need (a few minutes)"
	@$(INSTALL) -e ".[torch,tensorflow-cpu,mujoco,classic,box2d,atari,cma,dev]"
	@touch $@ $(VENV)/.run

$(BENCH_VENV)/.made: $(VENV)/.made benchmarks/requirements.txt $(NEEDS)
	@echo "setup: $(BENCH_VENV), with the libraries to compare with (a few minutes)"
	@$(BIN)/python -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install -qq --disable-pip-version-check \
		-c constraints-cpu.txt $(PIP_ARGS) -e ".[torch,mujoco]" -r benchmarks/requirements.txt
	@touch $@

# Where TensorFlow and JAX are installed, the libraries to compare with import them, too.
$(BENCH_MORE)/.made: $(VENV)/.made $(NEEDS)
	@echo "setup: $(BENCH_MORE), with TensorFlow, JAX, sbx and Orbax (a few minutes)"
	@$(BIN)/python -m venv $(BENCH_MORE)
	@$(BENCH_MORE)/bin/python -m pip install -qq --disable-pip-version-check \
		-c constraints-cpu.txt $(PIP_ARGS) -e ".[torch,mujoco,tensorflow-cpu,jax]" orbax-checkpoint sbx-rl
	@touch $@

$(VENV)/.docs: $(VENV)/.made $(NEEDS)
	@echo "setup: garage_like with what the documentation needs"
	@$(INSTALL) -e ".[torch,tensorflow-cpu,cma,docs]"
	@touch $@
