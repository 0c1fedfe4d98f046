# Everything a person types here is one word after make; "make" alone lists the words.
# Needs python (3.12 to 3.14), pip and make; deploy/bootstrap.sh does the rest.

PY := .venv/bin/python

.PHONY: help setup setup-test run test-fast test test-all lint lock screenshots bench bench-large clean
.DEFAULT_GOAL := help

help:  ## show this list
	@grep -hE '^[a-z-]+:.*  ## ' Makefile | sed -E 's/^([a-z-]+):.*  ## (.*)/  make \1~\2/' | column -t -s '~' 2>/dev/null \
		|| grep -hE '^[a-z-]+:.*  ## ' Makefile

setup:  ## make .venv and install the locked dependencies
	@sh deploy/bootstrap.sh requirements.lock

# After setup and not beside it, so that make -j never runs two installers in one environment.
setup-test: setup  ## the same and the test tools
	@sh deploy/bootstrap.sh requirements-test.lock

run: setup  ## start Redis, workers, beat and web with the demo data; Ctrl-C stops all of it
	@$(PY) manage.py up --demo --stop-with-parent $(ARGS)

test-fast: setup-test  ## tests on SQLite that wait for no browser and no process: three minutes (ARGS as below)
	@$(PY) -m tests.run --fast $(ARGS)

test: setup-test  ## lint, types and tests on SQLite and PostgreSQL (ARGS="-- -k name" goes to pytest)
	@$(PY) -m tests.run $(ARGS)

test-all: setup-test  ## the same with the slow tests
	@$(PY) -m tests.run --all $(ARGS)

lint: setup-test  ## ruff, mypy, import-linter, migrations and check --deploy only
	@$(PY) -m tests.run --lint

# uv is a tool of whoever changes pyproject.toml, not of the project: taken from PATH, else put beside the environment.
UV_COMPILE = --universal --python-version 3.12 --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --quiet
lock: setup  ## write both lock files anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@command -v uv >/dev/null || $(PY) -m uv --version >/dev/null 2>&1 || $(PY) -m pip install --quiet uv
	@uv=$$(command -v uv || echo "$(PY) -m uv"); set -e; \
	$$uv pip compile pyproject.toml $(UV_COMPILE) $(if $(UPGRADE),--upgrade) -o requirements.lock; \
	$$uv pip compile pyproject.toml $(UV_COMPILE) $(if $(UPGRADE),--upgrade) --group test -c requirements.lock \
		-o requirements-test.lock

screenshots: setup-test  ## take the README's pictures from the running app
	@$(PY) -m tests.browser.screenshots

bench: setup-test  ## measure beside Celery's usual way and other queues, three hours and more (ARGS=--quick: minutes)
	@$(PY) -m bench $(ARGS)

bench-large: setup-test  ## measure runs of a million records
	@$(PY) -m bench --large $(ARGS)

clean:  ## remove .venv and every cache; the data in var/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache staticfiles
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
