# Thin wrappers: a machine without make runs `python3 scripts/<target>.py`. Arguments: `make demo ARGS="--json"`.
PYTHON ?= python3
ARGS ?=

TARGETS := demo test check peers bench pictures crash soak setup lock clean
.PHONY: $(TARGETS)

$(TARGETS):
	@$(PYTHON) scripts/$@.py $(ARGS)
