# Two commands are all a fresh machine needs: `make app` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export GRADIO_ANALYTICS_ENABLED := False

.PHONY: app test check browser clean
.DEFAULT_GOAL := app

$(VENV)/installed: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("TriggerLens needs Python 3.11 or newer") if sys.version_info < (3, 11) else 0'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[all]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

app: $(VENV)/installed  ## open the app in the browser: http://127.0.0.1:7860
	$(BIN)/python app.py

test: $(VENV)/installed-dev browser  ## the whole test suite, browser tests included
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadscope

check: $(VENV)/installed-dev  ## lint and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict forensics

# The browser tests use a Chromium that is there already; otherwise the system's package manager is
# asked, then Playwright's own download. Without any, those tests say that they were skipped.
browser: $(VENV)/installed-dev
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null \
	|| command -v google-chrome >/dev/null \
	|| (command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] \
	    && apt-get update -qq && apt-get install -y -qq chromium >/dev/null) \
	|| $(BIN)/python -m playwright install --with-deps chromium \
	|| echo "No Chromium could be installed: browser tests will be skipped."

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
