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
HEADERS = $(shell find src -name '*.h')
# Those that run.py doesn't know, by module.
BENCHES = $(filter-out $(addprefix bench_,header walk values import), $(patsubst benches/%.py,%,$(wildcard benches/bench_*.py)))

TIME ?= 300

.PHONY: demo test long threads sanitize fuzz lint coverage native-coverage docs bench ratios release-check clean

# Index the DICOM files that the pydicom package ships, and show what came out.
demo: $(VENV)/.test
	$(BIN)/python tools/demo.py demo

# In as many processes as there are processors.
test: $(VENV)/.test
	$(BIN)/python -m pytest -m "not long" -n auto

# Runs without end in sight: fuzzing and the like.
long: $(VENV)/.test
	$(BIN)/python -m pytest -m long --timeout=7200

# Each test on four threads at once, but those that change what threads share.
threads: $(VENV)/.test
	$(PIP) "pytest-run-parallel>=0.10"
	$(BIN)/python -m pytest -m "not long" --parallel-threads=4 --skip-thread-unsafe=true

# The whole suite with the native code under AddressSanitizer and UBSan; needs gcc on Linux. Some minutes to build the
# first time, then several times what `make test` takes. Reports stand at the end, which is an error if there is one.
sanitize: $(VENV)/.test
	$(PIP) "setuptools>=77" "Cython>=3.2" "pytest-xdist>=3.5"
	$(BIN)/python tools/sanitize.py

# Coverage-guided fuzzing of every entry that takes bytes, on Linux with clang: `make fuzz TIME=60` shares the seconds
# out evenly, at least 5 for each target; `make fuzz TARGET=rle` gives them to one. It ends with an error at a finding,
# and says how to see it again. Without clang or atheris it says so and does nothing.
fuzz: $(VENV)/.test
	$(PIP) "setuptools>=77" "Cython>=3.2"
	$(PIP) atheris || echo "atheris can't be installed here"
	$(BIN)/python -m fuzz.run --time $(TIME) $(addprefix --target ,$(TARGET))

# cython-lint starts pycodestyle by its name alone, so that PATH has to lead to the one of this environment.
lint: $(VENV)/.lint
	$(BIN)/ruff check .
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/cython-lint src --ignore E302,E305 --exclude '.*\.pyi'
	$(BIN)/clang-format --dry-run --Werror $(HEADERS)
	$(BIN)/mypy

# Which lines of the façade the tests reach, the whole in build/coverage/html; native code's are native-coverage's.
coverage: $(VENV)/.test
	$(PIP) "coverage>=7.10"
	$(BIN)/python -m coverage run -m pytest -m "not long" -o timeout=1800
	$(BIN)/python -m coverage combine
	$(BIN)/python -m coverage html --quiet
	$(BIN)/python -m coverage report

# Which lines of native code the tests reach; needs gcc with gcov. Those that aren't: build/native-coverage/missed.txt.
native-coverage: $(VENV)/.test
	$(PIP) "setuptools>=77" "Cython>=3.2"
	$(BIN)/python tools/native_coverage.py

# The documentation site, in build/site; whatever MkDocs warns of is an error, dead links and anchors among it. Not
# --quiet: it keeps warnings from being counted, too, so that --strict would let all of them pass.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "build/site/index.html"

# Ratios to the peers, side by side in one run; run.py and bench_index.py also write JSON.
bench: $(VENV)/.bench
	$(BIN)/python -m benches.run
	for bench in $(BENCHES); do $(BIN)/python -m benches.$$bench || exit 1; done

# Has anything become slower beside the peers since the last release? Some minutes. MARGIN=0.4: what is taken for noise.
ratios: $(VENV)/.bench
	$(BIN)/python -m benches.ratios build/ratios.json
	$(BIN)/python -m benches.compare build/ratios.json $(if $(MARGIN),--margin $(MARGIN))

# The sdist, and of it a wheel for every Python at hand, each looked through, installed apart and used. They stay in dist.
release-check: $(VENV)/.made
	$(PIP) ".[release]"
	$(BIN)/python tools/release_check.py

clean:
	rm -rf $(VENV) build demo dist src/*.egg-info
	find src -name '*.so' -delete -o -name '*.pyd' -delete
	find src/dicomcore/_native -name '*.c' -delete

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
