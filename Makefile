# Whatfires. `make site` and `make test` do all of their set-up; `make help` lists the rest.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Installation does not byte-compile (below), so the first import of a module must be let to.
export PYTHONDONTWRITEBYTECODE :=
# Byte-compiling every package at installation costs minutes, and most of it is never imported.
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt

.PHONY: help site test cover lint types audit mutants serve bench golden clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

site: $(VENV)/.site  ## install what the report needs, and build it into site/
	$(BIN)/python build.py
	@echo "To serve it: make serve"

serve: $(VENV)/.site  ## build the report and show it in a browser while you write
	$(BIN)/whatfires serve

test: $(VENV)/.test lint  ## install what the tests need, then ruff, mypy --strict and the whole suite
	@# Types are looked at on one core; meanwhile another compiles what the tests import, once per installation.
	@$(MAKE) --no-print-directory -j 2 types $(VENV)/.compiled
	@# One thread for each of the two workers: more would wait for each other.
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder

cover: $(VENV)/.test  ## the suite, counting the lines and branches of generator/ that it runs; at least 95 %
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder --cov --cov-report=term

lint: $(VENV)/.test  ## ruff, with the rules of bandit among its own
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test  ## mypy --strict
	$(BIN)/mypy

audit: $(VENV)/.test  ## compare the installed packages with the known holes, by pip-audit; asks PyPI
	$(PYTHON) -m venv .whatfires/audit && .whatfires/audit/bin/python -m pip install --quiet pip-audit
	.whatfires/audit/bin/pip-audit --path "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

mutants: $(VENV)/.test  ## put small faults into a copy of the code, and tell how many the tests notice; ARGUMENTS="--count 20"
	test -d .whatfires/mutants/cosmic-ray || $(PIP) --target .whatfires/mutants/cosmic-ray cosmic-ray
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.mutants $(ARGUMENTS)

golden: $(VENV)/.test  ## accept golden pages, and the picture of the layers, as they are now; look at the diff
	$(BIN)/python -m tests.golden
	$(BIN)/python -m tests.architecture

bench: $(VENV)/.test  ## list the benchmarks against peers; NAME=name runs one on this machine, and writes it into the report
	$(BIN)/python -m tests.benchmarks $(NAME)

clean:  ## remove the site and the computed figures; trained weights in content/ stay
	rm -rf .whatfires .site.next
	find site -mindepth 1 ! -name .gitignore -delete

$(VENV)/.compiled: $(VENV)/.test
	@$(BIN)/python -m pytest -q --collect-only > $@ || { cat $@; rm $@; exit 1; }

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; set PYTHON=…"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "no venv module: apt-get install python3-venv"; exit 1; }

$(VENV)/.site: $(BIN)/python pyproject.toml constraints.txt
	@echo "installing packages (torch is large; about two minutes)…"
	@$(PIP) -e '.[examples]'
	@touch $@

$(VENV)/.test: $(VENV)/.site
	@$(PIP) -e '.[examples,test]'
	@sh tests/browser/install.sh
	@touch $@
