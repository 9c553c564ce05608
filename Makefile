# Each target makes the virtual environment that it needs; nothing else has to be installed.
PYTHON ?= python3
SERVE := .serve-venv
DEV := .venv
INSTALL := -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: serve test test-tools lint train evaluate bench load soak clean

serve: $(SERVE)/.installed  ## the HTTP service with the shipped checkpoint on http://127.0.0.1:8000
	$(SERVE)/bin/musnad serve $(ARGS)

test: $(DEV)/.installed  ## all tests
	$(DEV)/bin/python -m pytest -q $(ARGS)

lint: $(DEV)/.installed  ## ruff and mypy
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .
	$(DEV)/bin/mypy

train: $(DEV)/.installed  ## the shipped checkpoints once more, into runs/default and runs/fast (four hours on two idle cores)
	mkdir -p runs
	$(DEV)/bin/musnad annotations attach annotations/standoff/saudinewsnet.jsonl ../shared/corpora/saudinewsnet/articles.jsonl.xz runs/saudinewsnet.jsonl
	$(DEV)/bin/musnad train training/configs/teacher.yaml --output runs/teacher
	$(DEV)/bin/musnad train training/configs/silver.yaml --output runs/silver
	$(DEV)/bin/musnad train training/configs/default.yaml --output runs/default
	$(DEV)/bin/musnad train training/configs/fast.yaml --output runs/fast

evaluate: $(DEV)/.installed  ## the shipped checkpoint on the test split
	$(DEV)/bin/musnad evaluate model/default annotations/test.jsonl $(ARGS)

bench: $(DEV)/.installed  ## speed, as ratios in one run
	$(DEV)/bin/python -m benchmarks.speed $(ARGS)

load: $(DEV)/.installed  ## the service under load, with and without batching (20 minutes)
	$(DEV)/bin/python -m benchmarks.load $(ARGS)

soak: $(DEV)/.installed  ## ten minutes of mixed load: errors, and resident memory
	$(DEV)/bin/python -m benchmarks.soak $(ARGS)

test-tools: $(DEV)/.installed .tools/label-studio/.installed .tools/doccano/.installed  ## against the real annotation tools
	MUSNAD_LABEL_STUDIO=.tools/label-studio/bin/label-studio MUSNAD_DOCCANO=.tools/doccano/bin/doccano \
		$(DEV)/bin/python -m pytest -q -m tools tests/tools $(ARGS)

clean:
	rm -rf $(SERVE) $(DEV) build *.egg-info

.tools/label-studio/.installed:
	$(PYTHON) -m venv .tools/label-studio
	.tools/label-studio/bin/python -m pip install --quiet label-studio==1.23.2
	touch $@

.tools/doccano/.installed:
	$(PYTHON) -m venv .tools/doccano
	.tools/doccano/bin/python -m pip install --quiet doccano==1.8.4 'marshmallow<4' 'numpy<2'
	touch $@

$(SERVE)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(SERVE)
	$(SERVE)/bin/python $(INSTALL) -e .
	touch $@

$(DEV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/python $(INSTALL) -e '.[train,cluster,ray-serve,postgres,tracing,dev]'
	touch $@
