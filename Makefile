# The commands that a person runs are the ones that CI calls.
.PHONY: compare test check houses ground-truth evidence evidence-merge release-evidence claims reality clean

PYTHON ?= python3
BIN = .venv/bin

# Of `make ground-truth`: what is trained, for how long, how much of it, and on which workers.
IMAGES ?= fashion-mnist
LADDER ?= 2,6,18,54
FULL_BUDGETS ?= 60
REPEATS ?= 30
WORKERS ?= --workers-per-gpu 4
PRECISION ?= bf16
LOG ?= runs/$(IMAGES)
COLLECT = $(BIN)/jointbench collect $(LOG) --images $(IMAGES) --ladder $(LADDER) --precision $(PRECISION) \
	--clock calibrated $(WORKERS)

.venv/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[fast]'
	touch $@

.venv/.installed-train: .venv/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[train]'
	touch $@

.venv/.installed-test: .venv/.installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[reference]' \
		|| echo "HpBandSter cannot be built here (it needs a C compiler and Python's headers): its tests are skipped"
	touch $@

compare: .venv/.installed
	$(BIN)/jointbench compare

test: .venv/.installed-test
	$(BIN)/pytest --numprocesses 2

# The examples of the adapters with large libraries, each installed in an environment of its own: minutes, and gigabytes.
houses: .venv/.installed-test
	JOINTBENCH_HOUSES=1 $(BIN)/pytest tests/surrogate/test_houses.py

check: .venv/.installed-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

ground-truth: .venv/.installed-train
	$(COLLECT) --optimizer hyperband --full-budgets $(FULL_BUDGETS)
	$(COLLECT) --optimizer bohb --seed 1 --full-budgets $(FULL_BUDGETS)
	$(COLLECT) --repeat $(REPEATS) --full-budgets $(FULL_BUDGETS)
	$(BIN)/jointbench doctor $(LOG)
	$(BIN)/jointbench fit $(LOG) --out $(LOG)-benchmark

# The evidence of a shipped benchmark: goes on where it stopped, at the lowest priority, and its clock does not care how
# busy the machine is. Several machines collect other parts of it (a plan and a log each); `evidence-merge` joins them.
EVIDENCE ?= evidence/fashion-small
EVIDENCE_WORKERS ?= 2
EVIDENCE_PLACE ?= --device cpu --workers $(EVIDENCE_WORKERS)

evidence: .venv/.installed-train
	nice -n 19 $(BIN)/jointbench collect $(EVIDENCE)/log --plan $(EVIDENCE)/plan.toml $(EVIDENCE_PLACE)

evidence-merge: .venv/.installed
	$(BIN)/jointbench merge $(EVIDENCE)/log $(PIECES) --out $(EVIDENCE)/log

# A benchmark that ships, fitted to what evidence there is; raise the version with each release.
BENCHMARK ?= $(notdir $(EVIDENCE))
VERSION ?= 1

release-evidence: evidence-merge
	$(BIN)/jointbench doctor $(EVIDENCE)/log
	$(BIN)/jointbench fit $(EVIDENCE)/log --out jointbench/data/released/$(BENCHMARK) --name $(BENCHMARK) --version $(VERSION) --force

# What a paper claims of generators, on a released benchmark of them: docs/nago.md quotes it. Fronts are searched for with as
# many budgets as BOHB's 60 iterations take; those that are there are kept.
BESIDE ?= evidence/rnag-digits/log
CLAIM_OPTIMIZERS ?= nago-mobo,nago-mobo:first=20,bohb,mo-bohb,random,optuna.NSGAIISampler,smac.ParEGO
CLAIM_SEEDS ?= 10

claims: .venv/.installed
	$(BIN)/jointbench compare $(BENCHMARK) --anyway --objectives validation_error,sample_memory \
		--optimizers $(CLAIM_OPTIMIZERS) --seeds $(CLAIM_SEEDS) --full-budgets 160 --workers 8 --out runs/$(BENCHMARK)-fronts
	$(BIN)/jointbench analyse $(BENCHMARK) --claims nago $(if $(wildcard $(BESIDE)),--beside $(BESIDE)) \
		--fronts runs/$(BENCHMARK)-fronts --out runs/$(BENCHMARK)-claims

# Does the benchmark tell the truth? The same comparison by real trainings and on the surrogate, side by side, and the
# incumbents of the real one trained five times. The real trainings go on where they stopped.
CLOCK ?= reference:epyc-thread-v1
# What is there was trained on a GPU; a comparison goes on where it was begun, on a GPU again.
REALITY_PLACE ?= --device cuda --workers-per-gpu 2
TRUTH = --full-budgets 64 --seeds 3

reality: .venv/.installed-train
	$(BIN)/jointbench compare $(BENCHMARK) $(TRUTH) --workers $(EVIDENCE_WORKERS) --out runs/$(BENCHMARK)-surrogate --force
	nice -n 19 $(BIN)/jointbench compare $(BENCHMARK) $(TRUTH) --workers $(EVIDENCE_WORKERS) --objective train \
		$(REALITY_PLACE) --clock $(CLOCK) --memory 2 --out $(EVIDENCE)/reality
	nice -n 19 $(BIN)/jointbench retrain $(EVIDENCE)/reality $(REALITY_PLACE) --clock $(CLOCK) --memory 2 --seeds 5 \
		--references none --workers $(EVIDENCE_WORKERS)
	$(BIN)/jointbench report runs/$(BENCHMARK)-surrogate $(EVIDENCE)/reality

clean:
	rm -rf .venv build dist
