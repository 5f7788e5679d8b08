# Everything happens in .venv; `make demo` and `make test` work on a fresh machine with Python 3.11+.
PYTHON ?= python3
BIN := .venv/bin
# two files of tests at a time
TESTS := $(BIN)/python -m pytest -n 2 --dist loadfile

.PHONY: demo test check build clean

.venv/.installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable ".[demo,hub,litert,onnx]" --group dev
	touch $@

demo: .venv/.installed
	$(BIN)/stylizer demo

test: .venv/.installed
	$(TESTS)

check: .venv/.installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy stylizer apps models tests
	$(TESTS)

build: .venv/.installed
	$(BIN)/python -m build

clean:
	rm -rf .venv build dist *.egg-info demo
