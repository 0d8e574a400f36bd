# `make help` lists the targets. PYTHON=/path/to/python3 chooses the interpreter.

BIN := .venv/bin
STUDIES := $(foreach layout,seed edge,$(foreach physics,published corrected normalised,\
	studies/$(layout)-layout-$(physics).toml))

# Work runs side by side in processes: a BLAS with threads of its own slows it down.
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Modules that are not kept as bytecode are compiled in every process.
unexport PYTHONHOME PYTHONPATH PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help venv study test test-all test-lowest test-newest mutants mutants-all lint bench scale samplers recompile lock clean \
	docs figure texts

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

venv: .venv/installed ## create .venv with the locked packages

# The stamp files come last, so an interrupted installation starts over.
.venv/locked: requirements.lock
	@python=$$(sh scripts/find-python "$(PYTHON)") && \
	echo "Creating .venv with $$python; this downloads some hundred MB once." && \
	rm -rf .venv && "$$python" -m venv .venv
	@{ $(BIN)/python -u -m pip install --progress-bar off --no-deps -r requirements.lock; echo $$? > .venv/status; } | \
	awk -v total=$$(grep -c '==' requirements.lock) -f scripts/bar.awk && exit $$(cat .venv/status)
	@touch $@

.venv/installed: .venv/locked pyproject.toml
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check
	@touch $@

study: venv ## run the main job; the report is in runs/main
	@$(BIN)/renp run $(STUDIES) --out runs/main || { code=$$?; \
	[ $$code -ne 3 ] || echo "The runs are complete, but a diagnostic failed: see the verdicts above."; \
	exit $$code; }

test: venv ## run the fast tests
	@$(BIN)/python -m pytest -n 2 -m "not slow"

test-all: venv ## run all tests
	@$(BIN)/python -m pytest -n 2

# Environments of their own, with kernels of their own: others stay as they are.
test-lowest: ## run the fast tests with the lowest versions that pyproject.toml allows
	@$(call fresh,lowest) && build/lowest/bin/uv pip install --quiet --python build/lowest/bin/python \
	--resolution lowest-direct --requirements pyproject.toml
	@$(call tried,lowest)

test-newest: ## run the fast tests with the newest versions that there are
	@$(call fresh,newest)
	@$(call tried,newest)

fresh = python=$$(sh scripts/find-python "$(PYTHON)") && rm -rf build/$(1) && "$$python" -m venv build/$(1) && \
	build/$(1)/bin/python -m pip install --quiet uv
# What is installed already and satisfies stays.
tried = build/$(1)/bin/uv pip install --quiet --python build/$(1)/bin/python --editable '.[dev]' && \
	NUMBA_CACHE_DIR=$(CURDIR)/build/$(1)/kernels build/$(1)/bin/python -m pytest -n 2 -m "not slow"

# A function counts as changed if its body differs from that in the revision SINCE.
SINCE ?= HEAD~1
mutants: venv ## try whether the tests notice mistakes in functions changed since SINCE, ten minutes
	@$(BIN)/python scripts/mutants.py changed $(SINCE) --minutes 10 --most 300

mutants-all: venv ## the same for all of tests/mutants.toml, or PART=…; goes on where it ended
	@$(BIN)/python scripts/mutants.py all $(PART)

lint: venv ## check style and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

# EXECUTE=auto runs the tutorials and shows what they print and draw; it takes minutes.
EXECUTE ?= off
docs: venv ## build the documentation, build/docs/index.html; EXECUTE=auto runs the tutorials
	@rm -rf docs/reference/generated build/docs
	@$(BIN)/python -m sphinx -q -W --keep-going -D nb_execution_mode=$(EXECUTE) docs build/docs

texts: venv ## write again the page of keys and the schema of studies, after a key or its text changed
	@$(BIN)/python scripts/texts.py

FIGURE := published normalised first-principles-normalised
figure: venv ## draw the figure of the README again
	@for physics in $(FIGURE); do \
	$(BIN)/renp infer edge-layout-$$physics --out runs/figure/$$physics || [ $$? -eq 3 ] || exit 1; done
	@$(BIN)/python docs/overview.py docs/_static/overview.svg $(addprefix runs/figure/,$(FIGURE))

bench: venv ## time everything against other programs, in one process; NAME=… for one part
	@$(BIN)/python benchmarks/suite.py $(NAME)

scale: venv ## measure what runs cost as they grow, for docs/scale.md
	@$(BIN)/python benchmarks/scale.py

samplers: venv ## compare the six samplers, for docs/hypotheses.md; resumes
	@$(BIN)/python benchmarks/samplers.py

recompile: ## forget compiled kernels, after editing one that others call
	find renp_infer -name '*.nb[ci]' -delete

# Exact versions only: no index, no path, no hash of one machine's wheel.
lock: ## resolve requirements.lock anew, in a clean environment
	@python=$$(sh scripts/find-python "$(PYTHON)") && \
	rm -rf build/lock && "$$python" -m venv build/lock
	@build/lock/bin/python -m pip install --progress-bar off --editable '.[dev,docs]'
	@echo "# Written by 'make lock' from pyproject.toml, with its extras dev and docs." > build/lock/frozen
	@build/lock/bin/python -m pip freeze --exclude renp-infer >> build/lock/frozen
	@if grep -vE '^#|^[A-Za-z0-9._-]+==[A-Za-z0-9.!]+$$' build/lock/frozen; then \
	echo "These lines are not exact public versions; requirements.lock is unchanged." >&2; exit 1; fi
	@mv build/lock/frozen requirements.lock

clean: ## delete .venv, builds and caches; keep runs/
	rm -rf .venv build dist docs/reference/generated .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find renp_infer tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
