# What a newcomer types: `make demo` and `make test`. Each sets up a virtual environment of its own first; all that is
# needed before is make, a C compiler and Python 3.11 or newer (another one than the first found: make PYTHON=…).

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 \
		$$HOME/.pyenv/versions/3.1[1-9]*/bin/python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet
SOURCES = $(shell find src -name '*.py' -o -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h') \
	pyproject.toml setup.py README.md
# Those that run.py doesn't know.
BENCHES = $(filter-out $(patsubst %,benches/bench_%.py,header walk values import), $(wildcard benches/bench_*.py))

.PHONY: demo test long threads sanitize lint docs bench clean

# Index the DICOM files that the pydicom package ships, and show what came out.
demo: $(VENV)/.test
	$(BIN)/python tools/demo.py demo

test: $(VENV)/.test
	$(BIN)/python -m pytest -m "not long"

# Runs without end in sight: fuzzing and the like.
long: $(VENV)/.test
	$(BIN)/python -m pytest -m long

# Each test on four threads at once, but those that change what threads share.
threads: $(VENV)/.test
	$(PIP) "pytest-run-parallel>=0.10"
	$(BIN)/python -m pytest -m "not long" --parallel-threads=4 --skip-thread-unsafe=true

# The whole suite with the native code under AddressSanitizer and UBSan; needs gcc on Linux. Some minutes to build the
# first time, then several times what `make test` takes. Reports stand at the end, which is an error if there is one.
sanitize: $(VENV)/.test
	$(PIP) "setuptools>=77" "Cython>=3.1" "pytest-xdist>=3.5"
	$(BIN)/python tools/sanitize.py

lint: $(VENV)/.lint
	$(BIN)/ruff check .
	$(BIN)/cython-lint src --ignore E302,E305 --exclude '.*\.pyi'
	$(BIN)/mypy

# The documentation site, in build/site; whatever MkDocs warns of is an error.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "build/site/index.html"

# Ratios to the peers, side by side in one run; run.py and bench_index.py also write JSON.
bench: $(VENV)/.bench
	$(BIN)/python benches/run.py
	for bench in $(BENCHES); do $(BIN)/python $$bench || exit 1; done

clean:
	rm -rf $(VENV) build demo src/*.egg-info
	find src -name '*.so' -delete -o -name '*.pyd' -delete
	find src/dicomcore/_native -maxdepth 1 -name '*.c' -delete

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/.test: $(VENV)/.made $(SOURCES)
	$(PIP) ".[archive,test]"
	touch $@

$(VENV)/.lint: $(VENV)/.test
	$(PIP) ".[lint]"
	touch $@

$(VENV)/.docs: $(VENV)/.made $(SOURCES)
	$(PIP) ".[docs]"
	touch $@

$(VENV)/.bench: $(VENV)/.test
	$(PIP) ".[bench]"
	touch $@
