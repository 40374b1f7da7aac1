# The commands of the project. Each installs what it needs, so that a fresh clone needs nothing else.
.DELETE_ON_ERROR:
.PHONY: run test check format lock screenshots icons messages topology chaos soak bench bench-finding bench-page clean

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin

run: .venv/.run
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py collectstatic --noinput --verbosity 0
	@$(BIN)/python manage.py demo
	@echo "Open http://127.0.0.1:$(PORT)"
	@exec $(BIN)/daphne --bind 127.0.0.1 --port $(PORT) --no-server-name --verbosity 0 \
		--websocket-max-message-size 65536 chatsite.asgi:application

test: .venv/.dev
	BIN=$(BIN) sh scripts/test

check: .venv/.dev
	BIN=$(BIN) sh scripts/check

format: .venv/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	git ls-files 'templates/*.html' | xargs $(BIN)/djade --target-version 5.2

screenshots: .venv/.dev
	$(BIN)/python -m tests.e2e.screenshots

# The icons of an installed site, out of static/icon.svg.
icons: .venv/.dev
	$(BIN)/python scripts/icons.py

# What is said, collected into the catalogues of conversations/locale, and these compiled. Needs GNU gettext.
COLLECT := makemessages --all --no-wrap --no-obsolete --add-location file -i .venv -i tests -i var -v 0
PREREQUISITE := .venv/.dev
messages: $(PREREQUISITE)
	$(BIN)/python manage.py $(COLLECT)
	$(BIN)/python manage.py $(COLLECT) -d djangojs
	$(BIN)/python manage.py compilemessages -v 0 -i .venv

# Two processes, PostgreSQL, Redis and nginx from Debian's packages, as `deploy/` has them. Ctrl+C ends it.
topology: .venv/.dev
	$(BIN)/python -m tests.faults.topology

# Five minutes of random faults before twenty people, then a comparison of all that was said, kept and shown.
# CHAOS="--seed 7 --seconds 60 --together" asks for others.
chaos: .venv/.dev
	$(BIN)/python -m tests.faults.chaos $(CHAOS)

# Half an hour of 200 sockets and 50 answers, and what it leaves in memory.
soak: .venv/.dev
	$(BIN)/python -m tests.faults.soak $(SOAK)

# The whole takes half an hour. BENCH="--cases answers --runs 1" asks for less; BENCH=--help says what there is.
bench: .venv/.dev
	$(BIN)/python -m tests.bench $(BENCH)

# Takes a quarter of an hour and a PostgreSQL server: at TEST_DATABASE_URL, or on loopback.
bench-finding: .venv/.dev
	$(BIN)/python -m tests.bench.finding --write

# Takes six minutes and Chromium. The machine should have nothing else to do.
bench-page: .venv/.dev
	$(BIN)/python -m tests.bench.browser --history 100 --write

# Names, versions and hashes only. Needs uv.
lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml -o requirements.lock
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header pyproject.toml --group dev -o requirements-dev.lock

clean:
	rm -rf .venv

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.run: requirements.lock | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

.venv/.dev: requirements-dev.lock | .venv/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@ .venv/.run
