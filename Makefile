# The contributor's commands; `make` lists them.
VENV ?= .venv-test
PYTHON := $(VENV)/bin/python

.PHONY: help setup test lint format docs samples
help:  ## list the commands
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'
setup:  ## an environment with everything for developing
	python3 -m venv $(VENV) && $(PYTHON) -m pip install -r requirements-dev.txt && $(PYTHON) -m pip install --no-deps -e .
test:  ## all tests
	$(PYTHON) -m pytest
lint:  ## what CI checks besides
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy
format:  ## format the code
	$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .
docs:  ## write the documents that are made from the code
	$(PYTHON) docs/reference.py && PYTHONPATH=tests/support $(PYTHON) tests/test_formats.py > docs/formats.md
samples:  ## read the samples and hold the result against what stands there
	$(VENV)/bin/batchocr run samples --out /tmp/samples.csv --fresh && $(PYTHON) samples/compare.py /tmp/samples.numbers.csv
