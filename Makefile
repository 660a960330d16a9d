# `make run` and `make test` do everything, from a fresh clone on.
PREFIX ?= /usr/local
NODE = node_modules/.bin/node
CC ?= cc
TEST_CONCURRENCY ?= 4
export CC

all: node_modules/.package-lock.json supervisor dist/main.cjs build/web/index.html

run: all
	@exec bin/jobrunner

# Most tests wait most of the time, so several files run at once. Tests that take the whole machine run alone.
# The files of the tests are compiled once, not again in each of the many processes that run them.
test: export NODE_COMPILE_CACHE := $(CURDIR)/build/compile-cache
test: all
	$(MAKE) --jobs=3 check test-supervisor
	$(NODE) --test --test-concurrency=$(TEST_CONCURRENCY) $(filter-out $(ALONE),$(wildcard test/*.test.ts))
	$(NODE) --test --test-concurrency=1 $(ALONE)

ALONE := $(wildcard test/*.alone.test.ts)

test-supervisor: supervisor
	$(MAKE) -C supervisor test

# The long form of the loops of which `make test` runs a short one.
torture: all
	$(MAKE) -C supervisor torture
	TORTURE=1 $(NODE) --test --test-concurrency=1 test/crash-loop.test.ts test/crash-points.test.ts test/model.test.ts test/fuzz.test.ts

# Lays out the code: lines within 140 columns.
format: node_modules/.package-lock.json
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" oxfmt

check: node_modules/.package-lock.json
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" npm run --silent types
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" npm run --silent lint
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" npm run --silent unused

# Writes docs/configuration.md, docs/openapi.json and the client's types.
docs: all
	$(NODE) docs/configuration.ts
	$(NODE) docs/openapi.ts
	$(NODE) tools/openapi-types/generate.ts
	$(NODE) docs/cli.ts

# Writes docs/screenshots, which are looked at before they are committed.
screenshots: all
	$(NODE) docs/screenshots.ts

# Writes docs/benchmarks.md. Peers that are not installed are named and left out.
bench: all
	$(NODE) bench/main.ts

node_modules/.package-lock.json: package-lock.json package.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer with npm (Debian: apt-get install npm)" >&2; exit 1; }
	npm ci --no-audit --no-fund
	@touch $@

# What runs: a bundle of src/.
dist/main.cjs: node_modules/.package-lock.json $(shell find src tools/bundle -type f)
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" node tools/bundle/make.ts
	@touch $@

# The web page.
build/web/index.html: node_modules/.package-lock.json $(shell find web src/client src/fields -type f)
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" vite build web
	@touch $@

supervisor:
	@command -v $(firstword $(CC)) >/dev/null || \
	{ echo "the C compiler '$(CC)' is missing: install one (Debian: apt-get install gcc libc6-dev)" >&2; exit 1; }
	@$(MAKE) --no-print-directory -C supervisor all

# A tarball for npm, in this folder. What is in it, package.json says.
package: node_modules/.package-lock.json
	npm pack

# Into $(PREFIX)/lib/jobrunner, with the Node.js that it runs on; a link on the path, the manual page, completions, and a unit for systemd,
# which nothing enables.
LIBRARY = $(DESTDIR)$(PREFIX)/lib/jobrunner
PROGRAM = $(DESTDIR)$(PREFIX)/bin/jobrunner
UNIT = $(DESTDIR)$(PREFIX)/lib/systemd/system/jobrunner.service
MANUAL = $(DESTDIR)$(PREFIX)/share/man/man1/jobrunner.1
COMPLETION_BASH = $(DESTDIR)$(PREFIX)/share/bash-completion/completions/jobrunner
COMPLETION_ZSH = $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_jobrunner
COMPLETION_FISH = $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/jobrunner.fish
install: all
	rm -rf "$(LIBRARY)"
	mkdir -p "$(LIBRARY)/build"
	cp -R package.json LICENSE README.md bin dist "$(LIBRARY)/"
	cp -R build/jobrunner-supervisor build/web "$(LIBRARY)/build/"
	for node in node_modules/node-linux-*; do \
	[ -d "$$node" ] || continue; \
	mkdir -p "$(LIBRARY)/$$node" && cp -R "$$node/bin" "$$node/LICENSE" "$$node/package.json" "$(LIBRARY)/$$node/" || exit 1; \
	done
	for file in "$(PROGRAM)" "$(UNIT)" "$(MANUAL)" "$(COMPLETION_BASH)" "$(COMPLETION_ZSH)" "$(COMPLETION_FISH)"; do \
	mkdir -p "$${file%/*}" || exit 1; \
	done
	ln -sfn ../lib/jobrunner/bin/jobrunner "$(PROGRAM)"
	sed 's|/usr/local|$(PREFIX)|' packaging/systemd/jobrunner.service > "$(UNIT)"
	cp docs/jobrunner.1 "$(MANUAL)"
	bin/jobrunner completion bash > "$(COMPLETION_BASH)"
	bin/jobrunner completion zsh > "$(COMPLETION_ZSH)"
	bin/jobrunner completion fish > "$(COMPLETION_FISH)"

uninstall:
	rm -rf "$(LIBRARY)"
	rm -f "$(PROGRAM)" "$(UNIT)" "$(MANUAL)" "$(COMPLETION_BASH)" "$(COMPLETION_ZSH)" "$(COMPLETION_FISH)"

clean:
	$(MAKE) -C supervisor clean
	rm -rf node_modules build dist dist-* jobrunner-*.tgz

.PHONY: all run test test-supervisor torture format check docs screenshots bench supervisor package install uninstall clean
