# The words of the house. CI says the same ones. `make help` lists them.
SHELL := /bin/bash
BUILD := build/release
JOBS  := $(shell nproc)
PREFIX := /usr/local
# ON compiles ten sources at a time: half the work for a whole build, more of it after each edit.
UNITY := OFF

.DEFAULT_GOAL := build-all
.PHONY: help build-all test-all lint-all lint-fast run-local run-gateway run-schema bench soak docs install package clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build-all: ## install what the build needs, build the release and its tests
	@tools/install_packages.sh build test
	@cmake --preset release -DMILLRACE_TESTS=ON -DCMAKE_UNITY_BUILD=$(UNITY) -DCMAKE_UNITY_BUILD_BATCH_SIZE=10 >build/.configure.log 2>&1 || { cat build/.configure.log; exit 1; }
	@cmake --build --preset release -j $(JOBS)

test-all: build-all ## build and run every test
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) --timeout 600

lint-all: ## formatting, include directions, clang-tidy, shell scripts, documentation
	@tools/install_packages.sh build test lint
	@tools/lint.py

lint-fast: ## the same without clang-tidy
	@tools/install_packages.sh build test lint
	@tools/lint.py format includes docs shell

run-local: ## build, start a server on 127.0.0.1:8080 with example data in ./data
	@tools/run_local.sh start

run-gateway: ## the same, but a node that takes in and serves reads; SQL answers `unavailable`
	@tools/run_local.sh gateway

run-schema: ## build, start a schema registry alone on 127.0.0.1:8081, until ctrl-C
	@tools/run_local.sh schema

bench: ## build, run all benchmarks (about 20 minutes), write build/bench.txt
	@tools/bench.sh

soak: ## hours: 50 kills under replay, 10,000 simulation seeds
	@tools/soak.sh

docs: ## check the documentation: links, commands, folder lists, error codes
	@tools/check_docs.py

install: ## install what build-all has built: PREFIX=/usr/local, DESTDIR=
	@DESTDIR='$(DESTDIR)' cmake --install $(BUILD) --strip --prefix '$(PREFIX)'

package: ## a Debian package of what build-all has built, in build/release/package
	@cd $(BUILD) && cpack

clean: ## remove everything that was built; keeps ./data
	@rm -rf build

$(shell mkdir -p build)
