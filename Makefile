# The commands that a person runs are the ones that CI calls.
.PHONY: compare test check clean

PYTHON ?= python3
BIN = .venv/bin

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[reference]' \
		|| echo "HpBandSter cannot be built here (it needs a C compiler and Python's headers): its tests are skipped"
	touch $@

compare: .venv/.installed
	$(BIN)/jointbench compare

test: .venv/.installed-test
	$(BIN)/pytest

check: .venv/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

clean:
	rm -rf .venv build dist
