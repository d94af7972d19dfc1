# The commands of this project; continuous integration calls the same ones. Paths are relative, and quoted where
# they may hold a space, so that the project may lie in any folder.

PYTHON ?= $(shell command -v python3.11 || command -v python3)

# Three environments, because one Python can hold only one Blender. The newer Blenders' have no torch: there the add-on
# meets the backend as an artist's Blender does, as another program. Blender 5.2 is built for Python 3.13, which not
# every machine has; without it these tests are left out, with a word.
VENV := .venv
VENV_50 := .venv-bpy50
VENV_52 := .venv-bpy52
PY := $(VENV)/bin/python
PY_50 := $(VENV_50)/bin/python
PY_52 := $(VENV_52)/bin/python
BLENDER_50 := 5.0.1
BLENDER_52 := 5.2.3
# A shim of pyenv may be found and yet not run, so each is tried.
PYTHON_313 ?= $(shell for p in python3.13 "$$HOME"/.pyenv/versions/3.13*/bin/python3.13; do \
  "$$p" -c "" 2>/dev/null && command -v "$$p" && break; done)

# What the tests of the add-on read pictures and run tests with, in the versions that $(VENV) holds.
SHARED := av numpy opencv-contrib-python-headless OpenEXR pytest pytest-timeout hypothesis

# Blender's own tool for extensions comes with the module and runs in plain Python (the shell fills in the stars).
BLENDER_SCRIPTS := $(VENV)/lib/python3*/site-packages/bpy/4.5/scripts
BLENDER_EXT := $(BLENDER_SCRIPTS)/addons_core/bl_pkg/cli/blender_ext.py
BLENDER_TAGS := "$$(echo $(BLENDER_SCRIPTS)/modules/_bpy_internal/extensions/tags.py)"

BLENDER ?= $(shell command -v blender)
# The extension as it is shipped is put together here.
STAGE := build/extension

SOURCES := backend blender_addon benchmarks examples pretraining tests tools
LONGEST := 500

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup check test test-blender test-blender-newest demo zip screenshots protocol lock golden benchmark

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

setup: $(VENV)/installed ## make .venv with the backend, Blender as a module, and the tools

check: $(VENV)/installed ## format, lint, types, import contracts, spelling, module sizes
	$(PY) -m ruff format --check $(SOURCES)
	$(PY) -m ruff check $(SOURCES)
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/codespell
	@find $(SOURCES) -name '*.py' -exec awk -v most=$(LONGEST) \
	  'FNR > most { print FILENAME ": more than " most " lines; split it"; bad = 1; nextfile } END { exit bad }' {} +
	@cmp backend/protocol.py blender_addon/protocol.py || { echo "run 'make protocol'"; exit 1; }
	@echo "check: all clean"

IN_BLENDER := tests/addon tests/end_to_end

# Blender 4.5's own renderer dies of a segmentation fault now and then under these tests (5.0 and 5.2 never
# did). Then, and only then, they are run once more; a test that fails is never repeated.
test: $(VENV)/installed test-blender ## the whole test suite, in all Blenders
	$(PY) -m pytest $(IN_BLENDER) || { [ $$? -eq 139 ] && echo "Blender 4.5 died of itself: once more" && $(PY) -m pytest $(IN_BLENDER); }
	$(PY) -m pytest $(addprefix --ignore=,$(IN_BLENDER))

test-blender: $(VENV)/installed $(VENV_50)/installed test-blender-newest ## the add-on's tests in Blender 5.0 and 5.2
	RETIME_PEOPLE_PYTHON="$(CURDIR)/$(PY)" $(PY_50) -m pytest $(IN_BLENDER)

test-blender-newest: ## the add-on's tests in Blender 5.2, where there is a Python 3.13
ifneq ($(PYTHON_313),)
test-blender-newest: $(VENV)/installed $(VENV_52)/installed
	RETIME_PEOPLE_PYTHON="$(CURDIR)/$(PY)" $(PY_52) -m pytest -W ignore::DeprecationWarning $(IN_BLENDER)
else
test-blender-newest:
	@echo "Blender 5.2 is not tested: it needs Python 3.13, and none was found; say make PYTHON_313=path/to/python3.13"
endif

demo: $(VENV)/installed ## example clip -> layers -> Blender -> a retimed film in out/demo
	$(PY) examples/demo.py

zip: $(VENV)/installed ## the extension with the backend's package, checked and built by Blender's own tool, in dist/
	@rm -rf $(STAGE) && mkdir -p $(STAGE) dist
	cp -R blender_addon/. $(STAGE)
	$(PY) -m pip wheel --quiet --no-deps --wheel-dir $(STAGE)/backend_wheel .
	$(PY) $(BLENDER_EXT) validate --valid-tags=$(BLENDER_TAGS) $(STAGE)
	$(PY) $(BLENDER_EXT) build --valid-tags=$(BLENDER_TAGS) --source-dir $(STAGE) --output-dir dist
	$(PY) $(BLENDER_EXT) server-generate --repo-dir dist
ifneq ($(BLENDER),)
	"$(BLENDER)" --background --command extension validate $(STAGE)
else
	@echo "not validated by Blender itself: none was found; say make zip BLENDER=path/to/blender"
endif

# Needs a Blender with a window: make screenshots BLENDER=path/to/blender
screenshots: $(VENV)/installed ## the pictures of the guide, made in a window of Blender
	@test -n "$(BLENDER)" || { echo "a Blender with a window is needed; say make screenshots BLENDER=path/to/blender"; exit 1; }
	"$(BLENDER)" --factory-startup --app-template Video_Editing --window-geometry 0 0 1600 900 \
	  --python tools/screenshots/tour.py
	"$(BLENDER)" --factory-startup --app-template Video_Editing --window-geometry 0 0 1600 900 \
	  --python tools/screenshots/by_hand.py
	$(PY) tools/screenshots/crop.py

protocol: ## copy the protocol from the backend to the add-on
	cp backend/protocol.py blender_addon/protocol.py

lock: $(VENV)/installed ## write requirements.lock anew from the pins in pyproject.toml (needs uv)
	$(PY) tools/lock.py

golden: $(VENV)/installed ## make the reference pictures of tests/golden anew; the commit says why
	$(PY) -m pytest tests/golden --golden

benchmark: $(VENV)/installed ## decompose and score the scenes in SCENES=folder
	@test -n "$(SCENES)" || { echo "say make benchmark SCENES=path/to/scenes"; exit 1; }
	$(PY) -m benchmarks.run "$(SCENES)" --out out/benchmark

# -- the environments: a stamp inside each says that it is whole, and ages with pyproject.toml --------------------

define make_venv
	@test -n "$(PYTHON)" || { echo "Python 3.11 is needed and none was found; say make PYTHON=path/to/python3.11"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { \
	  echo "$(PYTHON) is not Python 3.11, for which these Blenders are built; say make PYTHON=path/to/python3.11"; exit 1; }
	"$(PYTHON)" -m venv $(1)
endef

$(VENV)/installed: pyproject.toml requirements.lock
	$(call make_venv,$(VENV))
	$(PY) -m pip install --quiet --require-hashes --no-deps --requirement requirements.lock
	$(PY) -m pip install --quiet --editable ".[blender,dev]"
	@touch $@

$(VENV_50)/installed: $(VENV)/installed
	$(call make_venv,$(VENV_50))
	$(PY) -m pip freeze --exclude-editable | grep -v -e '^bpy==' -e '^torch==' > $(VENV_50)/versions.txt
	$(PY_50) -m pip install --quiet --constraint $(VENV_50)/versions.txt bpy==$(BLENDER_50) $(SHARED)
	@touch $@

# Its Python is another one, and so are the versions of numpy that exist for it.
$(VENV_52)/installed: $(VENV)/installed
	"$(PYTHON_313)" -m venv $(VENV_52)
	$(PY) -m pip freeze --exclude-editable | grep -v -e '^bpy==' -e '^torch==' -e '^numpy==' > $(VENV_52)/versions.txt
	$(PY_52) -m pip install --quiet --constraint $(VENV_52)/versions.txt bpy==$(BLENDER_52) $(SHARED)
	@touch $@
