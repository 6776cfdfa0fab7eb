# Emanet. `make` alone lists the targets; everything sets itself up in .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
TESTS ?= tests
WORKERS ?= 2
CODE := emanet services tests bench scripts examples

.PHONY: help setup demo test check format lock proto proto-check bench docs clean

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup:  ## make .venv from the hash-locked requirements (all other targets do it too)
	@$(PYTHON) scripts/bootstrap.py

demo: setup  ## see the whole product work; ARGS=--exit stops it afterwards, ARGS="--exit --lang tr" in Turkish
	@$(BIN)/python -m examples.demo $(ARGS)

test: setup  ## run every test that needs no special hardware (TESTS=tests/unit for a part)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadscope $(TESTS)

check: setup  ## run the static gates: format, lint, types, import rules, contract, locks
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/buf lint protos
	@$(BIN)/buf format protos --diff --exit-code
	@$(BIN)/buf breaking protos --against protos/baseline.binpb
	@$(BIN)/python scripts/check_tree.py

format: setup  ## format the code
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)
	@$(BIN)/buf format protos -w

lock: setup  ## resolve the dependencies again and write requirements/*.txt
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra cli --group server --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --upgrade -o requirements/server.txt
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group server --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet --upgrade -o requirements/dev.txt

.tools/proto/bin/python: protos/requirements.txt
	@$(PYTHON) -m venv .tools/proto
	@.tools/proto/bin/python -m pip install --quiet --disable-pip-version-check -r protos/requirements.txt
	@touch $@

proto: .tools/proto/bin/python  ## generate emanet/api from protos/ with the floor version of the tools
	@PATH="$(CURDIR)/.tools/proto/bin:$$PATH" protos/generate.sh .tools/proto/bin/python

proto-check: proto  ## fail when the committed stubs differ from protos/
	@git diff --exit-code --stat emanet/api

bench: setup  ## measure against anchors in the same run; results in bench/results
	@$(BIN)/python -m bench $(ARGS)

docs: setup  ## render the generated pages of docs/ (errors, authorisation, lint rules, configuration)
	@$(BIN)/python -m scripts.render_docs

clean:  ## remove caches and what the demo wrote
	@rm -rf var .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
