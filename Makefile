# `make` alone lists what there is to make.

PYTHON ?= python3
UV = uv==0.13.9
PYTEST_ARGS ?=
# One process a core; the tests of a file stay together, for many share what took seconds to start.
PYTEST = .venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder
PRODUCTION = DEBUG=false ALLOWED_HOSTS=example.org \
	SECRET_KEY=only-for-this-check-zqXw7Lr2vT9mKc4bYh8nPd3sGf6jUa1eRo5iWy0t

# Without compiled modules every start would pay seconds of imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check audit judges bench large faults chaos translations mutants

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: .venv/runtime.stamp  ## Start everything here: servers, web, workers, scheduler; Ctrl-C stops it
	@exec .venv/bin/python manage.py up

test: .venv/development.stamp  ## Run all tests: unit, race, fault, real browser (PYTEST_ARGS="-k name")
	@.venv/bin/python -m tests.browser.install
	@$(PYTEST) -m "not long" $(PYTEST_ARGS)

check: .venv/development.stamp  ## Formatter, linters, types, known holes, missing migrations, Django's deployment checks
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/bandit --quiet --recursive --configfile pyproject.toml config exports imagefiles projects manage.py
	@$(PRODUCTION) .venv/bin/mypy
	@$(PRODUCTION) .venv/bin/python -W ignore:Got::django.core.management.commands.makemigrations \
		manage.py makemigrations --check --dry-run
	@$(PRODUCTION) .venv/bin/python manage.py check --deploy --fail-level WARNING
	@.venv/bin/python -m tests.audit

audit: .venv/development.stamp  ## Look for known holes in the pinned packages, where their list can be reached
	@.venv/bin/python -m tests.audit

judges: .venv-judges/stamp .venv/development.stamp  ## Install foreign programs (1.5 GB) that judge the archive in `make test`
	@.venv/bin/python -m tests.judges.install

bench: .venv/development.stamp  ## Run the benchmarks: a table here, numbers in bench/results
	@.venv/bin/python -m bench

large: judges  ## Export 10,000 images with 1.5 million objects in every format; 25 GB of disk, half an hour
	@.venv/bin/python -m bench.large

faults: .venv/development.stamp  ## Run all tests of dying processes, servers, disks and clocks, the long ones too
	@$(PYTEST) tests/faults tests/races tests/incidents tests/config $(PYTEST_ARGS)

chaos: .venv/development.stamp  ## Break a running hub for 20 minutes, check every promise (SECONDS= SEED= BROKEN=)
	@.venv/bin/python -m tests.chaos $(if $(SECONDS),--seconds $(SECONDS)) $(if $(SEED),--seed $(SEED)) \
		$(if $(BROKEN),--broken $(BROKEN))

translations: .venv/development.stamp  ## Collect the messages for the translators in locale/, compile their work
	@SECRET_KEY=translations .venv/bin/python -m tests.translations

mutants: .venv/development.stamp  ## Take out each guarantee's mechanism: its test has to fail
	@.venv/bin/python -m tests.mutants

# Each set of packages is installed again only when its list has changed.
.venv/runtime.stamp: requirements.txt | .venv/bin/uv
	@$(call install,requirements.txt)

.venv/development.stamp: requirements.txt requirements-dev.txt | .venv/bin/uv
	@$(call install,requirements-dev.txt)

.venv-judges/stamp: requirements-judges.txt | .venv/bin/uv
	@.venv/bin/python -m venv --clear .venv-judges
	@$(call install,requirements-judges.txt)

define install
echo "Installing the packages of $(1)."; \
if [ -x .venv/bin/uv ]; \
then .venv/bin/uv pip install --quiet --system-certs --python $(@D)/bin/python --compile-bytecode -r $(1); \
else $(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $(1); \
fi && touch $@
endef

# uv installs many times faster than pip; where it cannot be had, pip does the same more slowly.
.venv/bin/uv: | .venv/bin/pip
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check $(UV) || echo "uv cannot be had, pip is used."

# Only where creating .venv was cut short.
.venv/bin/pip: | .venv/bin/python
	@[ -e $@ ] || .venv/bin/python -m ensurepip --default-pip

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with make PYTHON=/path/to/python3."; exit 1; }
	@echo "Creating .venv."
	@$(PYTHON) -m venv --clear .venv \
		|| { echo "Python cannot create .venv; on Debian and Ubuntu: apt-get install python3-venv."; exit 1; }
