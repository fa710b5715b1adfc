# Two commands set up a fresh machine (Python 3.11 or later, git, make): `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-all lint types bench notebooks pins clean

demo: .venv/ready ## the whole job on a made-up organisation
	$(BIN)/trailfit demo

test: .venv/ready ## the tests that are quick
	$(BIN)/python -m pytest -n auto -q

test-all: .venv/ready ## all tests, the slow ones too
	$(BIN)/python -m pytest -n auto -q -m ""

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/ready
	$(BIN)/mypy

notebooks: .venv/ready ## run every notebook on the demo's lake
	$(BIN)/python -m pytest -q -m notebook

bench: .venv/ready ## every benchmark, ratios side by side
	$(BIN)/python -m tests.bench

pins: ## resolve constraints.txt anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra notebooks --group dev --generate-hashes \
		--no-emit-index-url --no-header pyproject.toml --output-file constraints.txt

.venv/ready: constraints.txt pyproject.toml hatch_build.py $(wildcard src/trailfit/ingest/native/*.?pp)
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

clean:
	rm -rf .venv trailfit-demo trailfit-out dist
