# Two commands matter: `make up` opens Qunluo, `make test` proves the whole.
# 两条命令就够了：make up 打开群落，make test 跑完全部检查。

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help up setup dev browser check lint lock-hosts test bench check-real messages lock reset

FITS := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c '$(FITS)' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
VENV := .venv
RUN := $(VENV)/bin/python
export QUNLUO_DATA ?= $(CURDIR)/var

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

up: setup ## set up, found the community that lives, serve everything, print its address
	@exec $(RUN) -m qunluo up --sample

setup: ## .venv with what Qunluo needs to run
	@"$(or $(PYTHON),false)" -c '$(FITS)' 2>/dev/null || { echo "Qunluo needs Python 3.11 or newer and found none. Install it (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python) or name yours: make up PYTHON=/path/to/python3.12" >&2; \
		echo "群落需要 Python 3.11 或更新版本，但没有找到。请先安装，或指定路径：make up PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" tools/bootstrap.py run

dev: setup ## the tools of developers on top
	@"$(PYTHON)" tools/bootstrap.py dev

browser: dev ## a browser with Chinese fonts for the browser tests
	@$(RUN) tools/browser.py

check: dev lint lock-hosts ## format, lint, types, room contract, lock file; under a minute

lint:
	@$(RUN) -m ruff format --check .
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports

lock-hosts:
	@$(RUN) tools/lock.py check

test: browser check ## everything, from a fresh clone too; ends with pytest's summary
	@$(RUN) -m pytest -n auto --dist worksteal --on postgres
	@$(RUN) -m pytest -n auto --dist worksteal

bench: setup ## the same jobs here and in other people's tools, with ratios
	@"$(PYTHON)" tools/bootstrap.py bench
	@.venv-bench/bin/python -m bench $(ARGS)

check-real: dev ## counts on real exports: make check-real DATA=folder
	@test -n "$(DATA)" || { echo "Say where the data lie: make check-real DATA=folder" >&2; exit 1; }
	@test -d "$(DATA)" || { echo "There is no folder $(DATA)." >&2; exit 1; }
	@for f in checks/[a-z]*.py; do echo "== $$f"; PYTHONPATH=. $(RUN) "$$f" "$(DATA)"; done

messages: dev ## collect the interface's words, compile the translations
	@$(RUN) tools/messages.py

lock: dev ## renew uv.lock and the pinned requirements after a change of dependencies
	@$(RUN) tools/lock.py renew $(ARGS)

reset: ## back to a fresh clone: deletes environments, caches and, with DATA=yes, all reports
	@rm -rf .venv .venv-bench build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@if [ "$(DATA)" = yes ]; then rm -rf var; echo "Environments, caches and reports are gone."; \
		else echo "Environments and caches are gone; reports in var/ are kept (make reset DATA=yes deletes them too)."; fi
