# Souk. Two commands matter: `make run` and `make test`. Each sets up what it needs, once; everything it does is a
# script in scripts/ that does one thing, can be run by hand, and can be run twice.

.DEFAULT_GOAL := help
.PHONY: help run test check bench build fmt setup sqlx clean

help: ## what there is to make
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

run: ## install what is missing, build, and serve the demo on http://127.0.0.1:3000
	@scripts/run.sh

test: ## everything: formatting, lints, boundaries, unit, API and browser tests, size
	@scripts/test.sh

check: ## the fast part of it: formatting, boundaries, lints of both builds
	@scripts/check.sh

bench: ## speed, side by side with its floors in one run; writes benches/last.md
	@scripts/bench.sh

build: ## a release in dist/
	@scripts/dist.sh

fmt: ## format the sources
	@scripts/fmt.sh

setup: ## only install what is missing
	@scripts/setup.sh

sqlx: ## renew .sqlx after a query or a migration has changed
	@scripts/prepare-sqlx.sh

clean: ## forget the demo's data and what was built here (the cache outside stays)
	@scripts/clean.sh
