# For newcomers: `make demo` and `make test`. Targets set up a virtual environment first, which needs make, a C compiler
# and Python 3.11 or newer (to choose another one than the first on the path: make PYTHON=…).

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 \
		$$HOME/.pyenv/versions/3.1[1-9]*/bin/python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN = $(VENV)/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet
SOURCES = $(shell find src -name '*.py' -o -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.h') \
	pyproject.toml setup.py README.md
HEADERS = $(shell find src -name '*.h')
# Benches that run.py doesn't run, by module.
BENCHES = $(filter-out $(addprefix bench_,header walk values import), $(patsubst benches/%.py,%,$(wildcard benches/bench_*.py)))

TIME ?= 300

.PHONY: demo test again long threads sanitize fuzz lint coverage native-coverage docs bench ratios viewer pydicom-suite \
	release-check foreign compiled clean

# Index the DICOM files that the pydicom package ships, and show the table.
demo: $(VENV)/.demo
	$(BIN)/python tools/demo.py demo

# The test suite, in as many processes as there are processors.
test: $(VENV)/.test
	$(BIN)/python -m pytest -m "not long" -n auto

# What failed in the last run, by itself, in one process.
again: $(VENV)/.test
	$(BIN)/python -m pytest -m "not long" --last-failed --last-failed-no-failures=none

# Tests that take very long, such as fuzzing.
long: $(VENV)/.test
	$(BIN)/python -m pytest -m long --timeout=7200 --hypothesis-profile=random

# Each test on four threads at once, except tests that change state shared by threads.
threads: $(VENV)/.test
	$(PIP) "pytest-run-parallel>=0.10"
	$(BIN)/python -m pytest -m "not long" --parallel-threads=4 --skip-thread-unsafe=true

# The whole suite with the native code under AddressSanitizer and UBSan; needs gcc on Linux. Some minutes to build the
# first time, then several times what `make test` takes. Reports are printed at the end; one report is an error.
sanitize: $(VENV)/.test
	$(PIP) "setuptools>=77" "Cython>=3.2" "pytest-xdist>=3.5"
	$(BIN)/python tools/sanitize.py

# Coverage-guided fuzzing of every function that takes bytes, on Linux with clang: `make fuzz TIME=60` divides the
# seconds evenly, at least 5 for each target; `make fuzz TARGET=rle` runs one target. A finding is an error, and its
# output names the command that repeats it. Without clang or atheris it prints a message and does nothing.
fuzz: $(VENV)/.test
	$(PIP) "setuptools>=77" "Cython>=3.2"
	$(PIP) atheris || echo "atheris can't be installed here"
	$(BIN)/python -m fuzz.run --time $(TIME) $(addprefix --target ,$(TARGET))

# cython-lint starts pycodestyle by name, so that PATH must begin with this environment.
lint: $(VENV)/.lint
	$(BIN)/ruff check .
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/cython-lint src --ignore E302,E305 --exclude '.*\.pyi'
	$(BIN)/clang-format --dry-run --Werror $(HEADERS)
	$(BIN)/mypy

# Lines of the Python code that the tests reach, in full in build/coverage/html; for native code see native-coverage.
coverage: $(VENV)/.test
	$(PIP) "coverage>=7.10"
	$(BIN)/python -m coverage run -m pytest -m "not long" -o timeout=1800
	$(BIN)/python -m coverage combine
	$(BIN)/python -m coverage html --quiet
	$(BIN)/python -m coverage report

# Lines of native code that the tests reach; needs gcc with gcov. Missed lines: build/native-coverage/missed.txt.
native-coverage: $(VENV)/.test
	$(PIP) "setuptools>=77" "Cython>=3.2"
	$(BIN)/python tools/native_coverage.py

# The documentation site, in build/site; every warning of MkDocs is an error, also for dead links and anchors. Without
# --quiet, which keeps warnings from being counted, so that --strict would let all of them pass.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "build/site/index.html"

# Ratios to the peers, side by side in one run; run.py and bench_index.py also write JSON.
bench: $(VENV)/.bench
	$(BIN)/python -m benches.run
	for bench in $(BENCHES); do $(BIN)/python -m benches.$$bench || exit 1; done

# cornerstone3D for the page of the web server, into the package's folder; needs npm. Never committed.
viewer:
	cd tools/viewer && npm ci --no-audit --no-fund && npm run build
	rm -rf src/dicomcore/web/viewer/bundle
	mv tools/viewer/bundle src/dicomcore/web/viewer/bundle

# Has anything become slower than peers since the last release? Takes some minutes. MARGIN=0.4 sets the tolerated noise.
ratios: $(VENV)/.bench
	$(BIN)/python -m benches.ratios build/ratios.json
	$(BIN)/python -m benches.compare build/ratios.json $(if $(MARGIN),--margin $(MARGIN))

# pydicom's own tests with dicomcore in pydicom's place, beside pydicom: ten minutes. ARGUMENTS="--reuse test_tag.py" runs
# one file, with pydicom's outcomes of the run before; see tools/dropin/suite.py.
pydicom-suite: $(VENV)/.bench
	$(PIP) pydicom==3.0.2 pydicom-data pyfakefs pytest-timeout
	$(BIN)/python -m tools.dropin.suite $(ARGUMENTS)

# Build the sdist, and from it a wheel for every installed Python; check, install and use each. They stay in dist.
release-check: $(VENV)/.built
	$(PIP) "dicomcore[release]"
	$(BIN)/python tools/release_check.py

# The tests on another processor, in a Debian for it that QEMU runs; as root: `make foreign ON=s390x`, or ON=arm64. See
# tools/platforms/foreign.py for what it needs, and for ARGUMENTS.
foreign: $(VENV)/.test
	$(PIP) "setuptools>=77" "Cython>=3.2"
	$(BIN)/python setup.py --quiet build_ext --inplace
	$(BIN)/python -m tools.platforms.foreign $(or $(ON),s390x) $(ARGUMENTS)

# The native code, compiled for other systems by zig's clang; ARGUMENTS=windows-x86_64 does one of them.
compiled: $(VENV)/.test
	$(PIP) "setuptools>=77" "Cython>=3.2" ziglang
	$(BIN)/python setup.py --quiet build_ext --inplace
	$(BIN)/python -m tools.platforms.compiled $(ARGUMENTS)

clean:
	rm -rf $(VENV) build demo dist src/*.egg-info
	find src -name '*.so' -delete -o -name '*.pyd' -delete
	find src/dicomcore/_native -name '*.c' -delete

$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or newer found: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) --upgrade pip
	touch $@

$(VENV)/.built: $(VENV)/.made $(SOURCES)
	$(PIP) .
	touch $@

# What else a target needs, as extras of the package that is installed: with a path it would be built again.
$(VENV)/.demo: $(VENV)/.built
	$(PIP) "dicomcore[archive,pydicom]"
	touch $@

$(VENV)/.test: $(VENV)/.built
	$(PIP) "dicomcore[archive,test]"
	touch $@

$(VENV)/.lint: $(VENV)/.test
	$(PIP) "dicomcore[lint]"
	touch $@

$(VENV)/.docs: $(VENV)/.built
	$(PIP) "dicomcore[docs]"
	touch $@

$(VENV)/.bench: $(VENV)/.test
	$(PIP) "dicomcore[bench]"
	touch $@
