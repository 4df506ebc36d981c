# The verbs of the house. `make book` and `make test` are the two that matter; both set up what they need.
#
#   make book       run the stale chapters, build the site, check it, sum the ledger up
#   make serve      show the site
#   make lab        open the chapters in JupyterLab
#   make test       everything that must hold
#   make corners    run every chapter at values that are partly its least ones
#   make rounding   what has changed, under rounding noise; ALL=1 takes everything
#   make library    the tests of the models alone
#   make reproduce  run every chapter from scratch, in parallel, then once more under rounding noise
#   make bench      time the kernels against their peers; NAMES='votes long_tail' takes these alone
#   make times      run the tests one at a time and record what each file takes, which decides the order of `make test`
#   make lock       write requirements.lock anew from pyproject.toml
#   make clean      remove all that the verbs made, the environments too

PYTHON ?= python3
# Any requirement and option that pip takes: TORCH='torch==2.13.0 --index-url ...' picks a build by hand.
TORCH ?= torch==2.13.0
UV ?= uv==0.13.9
PORT ?= 8000
WORKERS ?= 2
# COLD=1 takes the newest versions that pyproject.toml allows instead of the lock.
COLD ?=
# LOCK=--upgrade renews every version; without it `make lock` keeps what still fits.
LOCK ?=

# Parallelism comes from processes: two OpenMP threads on a busy core are many times slower than one.
export OMP_NUM_THREADS := 1
export OMP_WAIT_POLICY := PASSIVE

# What a reader has in a profile of IPython runs in no kernel of ours.
export IPYTHONDIR := $(CURDIR)/_build/ipython
unexport PYTHONSTARTUP

# Chapters are compared under another arithmetic than the one that made their outputs: MKL, PyTorch, OpenBLAS, numpy and
# the C library as on an x86 processor of 2008, without fused products and sums. A page that a last digit decides fails.
PLAIN := MKL_CBWR=COMPATIBLE ATEN_CPU_CAPABILITY=default OPENBLAS_CORETYPE=Nehalem \
    NPY_DISABLE_CPU_FEATURES='X86_V3 X86_V4' GLIBC_TUNABLES='glibc.cpu.hwcaps=-AVX2,-FMA,-AVX2_Usable,-FMA_Usable'

# What `make rounding` takes: NAMES='memory/dense polytopes/splines', or everything.
ALL ?=
NAMES ?=

VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
LAB := .venv-lab
SITE := _build/html

# A stamp bears the checksum of all that decides an environment's content, so that nothing is done twice.
checksum = $(shell { cat $(1); echo '$(PYTHON) $(TORCH) $(COLD)'; } | cksum | cut -d ' ' -f 1)
STAMP := $(VENV)/.made-$(call checksum,requirements.lock pyproject.toml)
BENCH_STAMP := $(BENCH)/.made-$(call checksum,requirements.lock pyproject.toml benchmarks/requirements.txt)
LAB_STAMP := $(LAB)/.made-$(call checksum,requirements.lock pyproject.toml)

.PHONY: book serve lab test library corners rounding reproduce bench times lock clean environment
.DEFAULT_GOAL := book

book: environment
	$(BIN)/memscape execute
	@$(build_site)
	$(BIN)/memscape ledger --summary
	@echo "The site is in $(SITE): open $(SITE)/index.html, or run 'make serve'."

serve:
	@test -f $(SITE)/index.html || { echo "There is no site yet: run 'make book' first." >&2; exit 1; }
	$(BIN)/python -m http.server $(PORT) --bind 127.0.0.1 --directory $(SITE)

lab: $(LAB_STAMP)
	$(LAB)/bin/jupyter lab chapters

# To build the site takes one core, and so does checking types: meanwhile the chapters are compared. They are compared even
# if a test fails. The files begin in the order of conftest.py, the longest first. One process takes a whole file, so
# that what its tests share, a built site or a wheel, is made once. Ctrl-C does not reach what a shell runs beside: the
# trap ends it, or a site would go on being built under the next one.
test: environment
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	@trap 'kill 0' INT; { $(BIN)/mypy || exit 1; $(build_site); } & beside=$$!; \
	$(if $(filter x86_64,$(shell uname -m)),env $(PLAIN)) $(BIN)/pytest --nbval --nbval-current-env \
	    --nbval-cell-timeout 800 --nbval-sanitize-with tests/nbval_sanitize.cfg \
	    -n $(WORKERS) --dist loadfile --no-loadscope-reorder chapters || chapters=failed; \
	wait $$beside || { echo "types and site: failed, chapters: $${chapters:-passed}"; exit 1; }; \
	$(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder || tests=failed; \
	echo "tests: $${tests:-passed}, chapters: $${chapters:-passed}"; test -z "$$tests$$chapters"

library: environment
	$(BIN)/pytest -n $(WORKERS) tests/test_arguments.py $(filter-out tests/book tests/rounding,$(patsubst %/,%,$(wildcard tests/*/)))

corners: environment
	CORNERS=1 $(BIN)/pytest -n $(WORKERS) --no-loadscope-reorder tests/book/test_chapters_values.py -k corner

rounding: environment
	$(BIN)/python tests/rounding/run.py --workers $(WORKERS) $(if $(ALL),--all) $(NAMES)

reproduce: environment
	$(BIN)/memscape reproduce
	$(MAKE) rounding ALL=1

bench: $(BENCH_STAMP)
	$(BENCH)/bin/pytest $(if $(NAMES),$(NAMES:%=benchmarks/bench_%.py),benchmarks) --benchmark-json=results/desk/benchmarks.json
	$(BENCH)/bin/python benchmarks/table.py results/desk/benchmarks.json

times: environment
	$(BIN)/pytest --record-times

lock:
	test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet $(UV); }
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --extra book --extra test \
	    --no-emit-index-url --custom-compile-command 'make lock' $(LOCK) -o requirements.lock pyproject.toml

clean:
	rm -rf $(VENV) $(BENCH) $(LAB) _build out .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	rm -rf src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

environment: $(STAMP)

$(STAMP):
	$(call make_environment,$(VENV))
	rm -f $(VENV)/.made-*
	touch $@

$(BENCH_STAMP): benchmarks/requirements.txt
	$(call make_environment,$(BENCH))
	$(BENCH)/bin/python -m pip install --quiet --no-deps -r benchmarks/requirements.txt
	rm -f $(BENCH)/.made-*
	touch $@

$(LAB_STAMP):
	$(call make_environment,$(LAB))
	$(LAB)/bin/python -m pip install --quiet --no-build-isolation --editable '.[lab]'
	rm -f $(LAB)/.made-*
	touch $@

# A log that is no terminal gets the warnings alone.
QUIET := $(if $(MAKE_TERMOUT),,--quiet)

# All that a page may be made of, to the byte. It is looked at when the site is built, after chapters have run.
define page_sources
find . -type f -not -name '*.pyc' -not -path './.*/*' -not -path './_build/*' -not -path './out/*' \
    -not -path './tests/*' -not -path './data/*.gz' -print0 | LC_ALL=C sort -z | xargs -0 cksum
endef

# -W makes every warning of the build an error; a page that was not rebuilt would not warn again, hence --all. Pages of
# an earlier build that no longer exist must not stay. A site that was built from the same and found sound is kept.
define build_site
made=$(SITE)/.made-$$({ $(page_sources); echo '$(STAMP) $(MEMSCAPE_COMMIT)'; } | cksum | cut -d ' ' -f 1); \
test -f $$made && echo "The site stays: nothing that it is made of has changed." || { rm -rf $(SITE) \
    && $(BIN)/jupyter-book build . --all -W --keep-going -n $(QUIET) && $(BIN)/memscape site-check && touch $$made; }
endef

# $(1): the folder. uv is fast but does not read pip's settings, and may not be had at all: then pip does the same work.
# torch goes in by pip alone, so that it is the build that the user's pip is set up for.
define make_environment
@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Memscape needs Python 3.11 or newer, \
	say which one: make PYTHON=python3.13 ...")'
test "$$($(1)/bin/python --version 2>&1)" = "$$($(PYTHON) --version 2>&1)" || $(PYTHON) -m venv --clear $(1)
test -x $(1)/bin/uv || $(1)/bin/python -m pip install --quiet $(UV) || echo "No uv here: pip installs, which takes longer."
$(if $(COLD),$(1)/bin/python -m pip install --quiet --upgrade setuptools torch,\
    $(1)/bin/uv pip install --quiet --compile-bytecode --python $(1)/bin/python --require-hashes -r requirements.lock \
    || $(1)/bin/python -m pip install --quiet --require-hashes -r requirements.lock)
$(if $(COLD),,$(1)/bin/python -m pip install --quiet $(TORCH))
$(1)/bin/python -m pip install --quiet --no-build-isolation --editable $(if $(COLD),'.[test]',. --no-deps)
$(1)/bin/python -m pip check
endef
