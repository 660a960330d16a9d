# `make run` and `make test` do everything, from a fresh clone on.
PREFIX ?= /usr/local
NODE = node_modules/.bin/node
CC ?= cc
TEST_CONCURRENCY ?= 2
export CC

all: node_modules/.package-lock.json supervisor

run: all
	@exec bin/jobrunner

test: all check
	$(MAKE) -C supervisor test
	$(NODE) --test --test-concurrency=$(TEST_CONCURRENCY) 'test/*.test.ts'

# The long form of the loops of which `make test` runs a short one.
torture: all
	$(MAKE) -C supervisor torture
	TORTURE=1 $(NODE) --test --test-concurrency=1 test/crash-loop.test.ts test/crash-points.test.ts test/model.test.ts test/fuzz.test.ts

check: node_modules/.package-lock.json
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" npm run --silent types
	PATH="$(CURDIR)/node_modules/.bin:$$PATH" npm run --silent lint

# Writes docs/configuration.md.
docs: node_modules/.package-lock.json
	$(NODE) docs/configuration.ts

# Writes docs/benchmarks.md. Peers that are not installed are named and left out.
bench: all
	$(NODE) bench/main.ts

node_modules/.package-lock.json: package-lock.json package.json
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js 20 or newer with npm (Debian: apt-get install npm)" >&2; exit 1; }
	npm ci --no-audit --no-fund
	@touch $@

supervisor:
	@command -v $(firstword $(CC)) >/dev/null || { echo "the C compiler '$(CC)' is missing: install one (Debian: apt-get install gcc libc6-dev)" >&2; exit 1; }
	@$(MAKE) --no-print-directory -C supervisor all

# Into $(PREFIX)/lib/jobrunner, without what only developers need, a link on the path, and a unit for systemd, which nothing enables.
LIBRARY = $(DESTDIR)$(PREFIX)/lib/jobrunner
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system
install: all
	rm -rf "$(LIBRARY)"
	mkdir -p "$(LIBRARY)/build" "$(DESTDIR)$(PREFIX)/bin"
	cp -R package.json package-lock.json LICENSE README.md bin src node_modules "$(LIBRARY)/"
	cp build/jobrunner-supervisor "$(LIBRARY)/build/"
	npm prune --omit=dev --offline --no-audit --no-fund --ignore-scripts --prefix "$(LIBRARY)"
	ln -sfn ../lib/jobrunner/bin/jobrunner "$(DESTDIR)$(PREFIX)/bin/jobrunner"
	mkdir -p "$(UNITS)"
	sed 's|/usr/local|$(PREFIX)|' packaging/systemd/jobrunner.service > "$(UNITS)/jobrunner.service"

uninstall:
	rm -rf "$(LIBRARY)"
	rm -f "$(DESTDIR)$(PREFIX)/bin/jobrunner" "$(UNITS)/jobrunner.service"

clean:
	$(MAKE) -C supervisor clean
	rm -rf node_modules build

.PHONY: all run test torture check docs bench supervisor install uninstall clean
