# make run    set up and open the window on the sample project (without a display: the same loop off screen)
# make test   set up and run every check and every test, in a virtual X server
# make check  the quick part of it: lint, types, contracts, tests that need no window
# make setup  the setting-up alone

.PHONY: run test check setup setup-test lint clean
PROJECT ?=
PYTHON = .venv/bin/python

setup:
	@packaging/setup.sh run

setup-test:
	@packaging/setup.sh test

run: setup
	@if [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname)" = Darwin ]; then \
		exec .venv/bin/atrous $(PROJECT); \
	else \
		echo "No display: running the loop off screen."; exec .venv/bin/atrous demo; \
	fi

lint: setup
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	.venv/bin/lint-imports

check: lint
	$(PYTHON) -m pytest -m "not window and not slow"

test: setup-test lint
	$(PYTHON) -m pytest

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
