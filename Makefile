# What to type. CONTRIBUTING.md says what each red step of `make check` means.
PYTHON ?= python

.DEFAULT_GOAL := help
.PHONY: help check test lint format docs lock full

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-14s%s\n", $$1, $$2}'
	@echo
	@echo "Benchmarks and fits read the data beside the checkout (../shared/data) and run by hand:"
	@ls benchmarks/*.py | sed -n 's|benchmarks/\([a-z].*\)\.py|  python -m benchmarks.\1 --help|p'

check: ## Do what CI does, in an environment of its own
	bash .ci/run

test: ## Run the tests, slow ones excepted
	$(PYTHON) -m pytest

lint: ## Lint, types, import contracts, lock, generated docs; changes nothing
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	lint-imports --no-logo
	$(PYTHON) scripts/check_lock.py
	$(PYTHON) scripts/write_docs.py --check

format: ## Mend what can be mended by itself: imports, simple lint, layout
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

docs: ## Write docs/cli.md anew from the program's help texts
	$(PYTHON) scripts/write_docs.py

lock: ## Write requirements.lock anew, pins kept; newer ones: make lock UPGRADE=--upgrade
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info[:2] == (3, 11) else "the lock is made with Python 3.11")'
	CUSTOM_COMPILE_COMMAND="make lock" $(PYTHON) -m piptools compile pyproject.toml --extra test --output-file requirements.lock \
	    --generate-hashes --allow-unsafe --strip-extras --no-annotate --no-emit-options --quiet $(UPGRADE)
	$(PYTHON) scripts/check_lock.py

full: check ## CI, then every test, slow ones included, in the current environment
	$(PYTHON) -m pytest -m "slow or not slow"
