# The README's two commands are `run` and `test`; `demo` fills the house with invented customers.
# `check`, `fix` and `cases` are for whoever changes the code. Everything lives in .venv.

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := help
.PHONY: help run demo test check fix cases fuzz mutants

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for name in python3.11 python3 python3.12 python3.13 python3.14; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$name" && break; done)
PINS := pyproject.toml package.json package-lock.json hatch_build.py
ASSETS := router/web/static/vendor/.lock-sha256
WORKERS ?= 2

help:
	@echo 'make run      set up, and start the router on an SQLite file'
	@echo 'make demo     the same, with a furniture shop and its customers played for you'
	@echo 'make test     set up, and run every test    (PYTEST_ARGS="-k intake" narrows)'
	@echo 'make check    format, lint, types and import contracts'
	@echo 'make fix      let the formatter and the linter repair what they can'
	@echo 'make cases    the channels'\'' cases        (NAME=line narrows, UPDATE=1 rewrites)'
	@echo 'make mutants  take out each check of the guarantees in turn and show which test sees it   (NAME=g1-unread)'
	@echo 'make fuzz     ten minutes of broken deliveries   (MINUTES=1, SEED=7, NAME=line, REPLAY=file)'

run: $(VENV)/.installed
	@exec $(BIN)/mainstem run $(ARGS)

demo: $(VENV)/.installed
	@exec $(BIN)/mainstem demo $(ARGS)

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(PYTEST_ARGS)

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

fuzz: $(VENV)/.installed-dev
	@MINUTES="$(MINUTES)" SEED="$(SEED)" NAME="$(NAME)" REPLAY="$(REPLAY)" $(BIN)/python -m tests.fuzz.run

cases: $(VENV)/.installed-dev
	@CASES_NAME='$(NAME)' CASES_UPDATE='$(UPDATE)' \
		$(BIN)/python -m pytest -q tests/adapters/test_cases.py $(PYTEST_ARGS)

$(VENV)/.made:
	@test -n '$(PYTHON)' || { echo 'Mainstem needs Python 3.11 or newer; none is on the path.' \
		'Name one: make PYTHON=/path/to/python3.11' >&2; exit 1; }
	@echo 'Making $(VENV) with $(PYTHON) …'
	@$(PYTHON) -m venv $(VENV) || { echo 'Python could not make a virtual environment.' \
		'Debian, Ubuntu: apt-get install python3-venv' >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

# Installs what runs; the build hook fetches the scripts of the pages, again if they have gone.
$(VENV)/.installed: $(VENV)/.made $(PINS) $(ASSETS)
	@echo 'Installing Mainstem and fetching its page assets …'
	@$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(ASSETS): ;

$(VENV)/.installed-dev: $(VENV)/.installed
	@echo 'Installing what the tests and checks need …'
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

mutants: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.service.mutants $(NAME)
