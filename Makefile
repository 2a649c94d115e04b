# The developer's menu. Every target makes its own .venv first; nothing else must be installed.
# Choose an interpreter with: make PYTHON=/path/to/python3 test

export PYTHON
# Many tests start the command: without its bytecode each start compiles everything again.
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
SOURCES := core connectors strategies plugins tests $(wildcard benchmarks examples)

.DEFAULT_GOAL := help
.PHONY: help run test check soak-ci endurance nightly format bench venv clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

run: .venv/.runtime  ## Run plugins.toml with play money
	@$(BIN)/fairlead run plugins.toml

# Four on two cores: what starts processes mostly waits for them.
test: .venv/.dev  ## Run all tests with coverage; at least 90 % of lines and branches
	@$(BIN)/python -m pytest -n 4 --dist worksteal --cov --cov-report=term:skip-covered

check: .venv/.dev  ## Check form, types, layers, seams and the guard tests
	@$(BIN)/ruff format --check $(SOURCES) || { echo "to put them into form: make format"; exit 1; }
	@$(BIN)/ruff check --quiet $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python tests/guards/seam_lint.py
	@$(BIN)/python -m pytest -q -n 2 tests/guards

soak-ci: .venv/.dev  ## Simulate 100 hours of bad luck in 200 seeds, find all plants, kill 200 engines
	@$(BIN)/fairlead simulate --seeds 1-200 --hours 0.5 --jobs 2
	@FAIRLEAD_PLANTS=all $(BIN)/python -m pytest -q -n 2 tests/fairlead/testing/test_simulation_plants.py
	@FAIRLEAD_BATCH_TRIALS=10000 $(BIN)/python -m pytest -q tests/fairlead/pipeline/test_batch_trials.py
	@FAIRLEAD_KILL_POINTS=200 FAIRLEAD_KILL_EXECS=10 $(BIN)/python -m pytest -q -n 2 tests/system/test_kill_points.py tests/system/test_kill_exec.py
	@$(MAKE) --no-print-directory endurance

# One engine on and on in bad weather, and what its memory does: make endurance ENDURED=72
ENDURED := 12
endurance: .venv/.dev  ## Run one engine through ENDURED bad hours; every memory must keep its bound
	@FAIRLEAD_ENDURANCE_HOURS=$(ENDURED) $(BIN)/python -m pytest -q -s tests/fairlead/kernel/test_endurance.py

# A fresh window of seeds each night, two hours each, and two thousand kills: make nightly HOURS=5000
HOURS := 1000
KILLS := 2000
FIRST := $(shell date -u +%y%j)0000
nightly: .venv/.dev  ## Simulate HOURS hours in seeds that are new each day, and kill KILLS engines
	@$(BIN)/fairlead simulate --seeds $(FIRST)-$(shell expr $(FIRST) + $(HOURS) / 2 - 1) --hours 2
	@FAIRLEAD_PLANTS=search $(BIN)/python -m pytest -q -n 2 tests/fairlead/testing/test_simulation_plants.py
	@FAIRLEAD_KILL_POINTS=$(KILLS) FAIRLEAD_KILL_EXECS=60 $(BIN)/python -m pytest -q -n 2 tests/system/test_kill_points.py tests/system/test_kill_exec.py
	@FAIRLEAD_ENDURANCE_SEED=$(FIRST) $(MAKE) --no-print-directory endurance ENDURED=72

format: .venv/.dev  ## Put every file into form
	@$(BIN)/ruff format --quiet $(SOURCES)
	@$(BIN)/ruff check --quiet --fix $(SOURCES)

bench: .venv/.dev  ## Measure the hot paths
	@$(BIN)/python -m benchmarks

venv: .venv/.dev  ## Make .venv with all tools

clean:  ## Remove .venv, caches and coverage data; runs/ stays
	@rm -rf .venv build dist htmlcov .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find core connectors strategies plugins tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A copied .venv still points to the place it was made in: make it again.
ifneq ($(shell cat .venv/.place 2>/dev/null),$(realpath .))
.PHONY: .venv/.runtime .venv/.dev
endif

.venv/.runtime: pyproject.toml
	@.ci/venv runtime

.venv/.dev: pyproject.toml
	@.ci/venv dev
