# make run    set up and open the window on the sample project (without a display: the same loop off screen)
# make test   set up and run every check and every test, in a virtual X server
# make check  the quick part of it: lint, types, contracts, tests that need no window
# make setup  the setting-up alone
# make round-trip  TensorFlow (in an environment of its own) writes xception_65 at full size; we read it and compare

.PHONY: run test check setup setup-test lint clean round-trip
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

round-trip: setup-test
	python3 -m venv build/tensorflow
	build/tensorflow/bin/pip install -q tensorflow-cpu==2.18.1
	build/tensorflow/bin/python tests/data/tensorflow/write.py tests/data/oracle/variables_xception_65.json build/round-trip
	$(PYTHON) -m tests.benchmarks.round_trip build/round-trip

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis .import_linter_cache
