# Every target forwards to a script or to cmake; `./scripts/demo` and `./scripts/test` need not even make.
.PHONY: help demo test e2e-real mcp-conformance crash sim powercut mutants acceptance build release bench fmt tidy fuzz install
help:            ## this list
	@grep -E '^[a-z0-9-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14
demo:            ## a run that outlasts a kill -9, told as it happens
	@./scripts/demo
test:            ## build and run all tests that need no network (ASan + UBSan)
	@./scripts/test
e2e-real:        ## tasks with the real Claude Code and Codex against a loopback model (needs npm the first time; ARGS=CodexSessions)
	@./scripts/e2e-real $(ARGS)
mcp-conformance: release ## MCP's conformance suites and its official client against /mcp and outlast mcp (needs npm)
	@./scripts/mcp-conformance
crash:           ## kill the program at every failpoint in every phase of a run and check what it promises (ARGS=--verbose, ARGS=--turns: of tasks only)
	@./scripts/crash $(ARGS)
acceptance: release ## the black-box checks of ../shared/acceptance for the groups in .ci/acceptance-groups
	@../shared/acceptance/run --bin build/release/outlast $(ARGS) $$(cat .ci/acceptance-groups)
build:           ## developer build: build/default/outlast
	@./scripts/build default
release:         ## the program as shipped: build/release/outlast
	@./scripts/build release outlast
bench:           ## measure against bare limits; prints JSON lines (several minutes)
	@./scripts/bench
sim:             ## thousands of simulated worlds: crashes, stalls, lost bells; SEEDS=1000
	@./scripts/sim $(or $(SEEDS),1000) $(FIRST)
powercut:        ## cut the power at random moments, and see that all that was acknowledged is there; POINTS=10000 SEED=1
	@./scripts/powercut $(or $(POINTS),10000) $(SEED)
mutants:         ## break one promise at a time on purpose and show that it is caught
	@./scripts/mutants
fmt:             ## format the sources
	@git ls-files 'src/*.cc' 'src/*.h' 'fuzz/*.cc' 'bench/*.cc' 'sim/*.cc' 'sim/*.h' 'tests/disk/*.cc' 'tests/disk/*.h' | xargs clang-format-19 -i
tidy:            ## clang-tidy over the sources (slow)
	@./scripts/build default >/dev/null && git ls-files 'src/*.cc' | grep -v _test.cc | xargs -P 2 -n 8 clang-tidy-19 --quiet -p build/default
fuzz:            ## run every fuzz target for SECONDS=60 each
	@./scripts/fuzz $(SECONDS_EACH)
install: release ## install the binary under PREFIX (default /usr/local)
	@cmake --install build/release --prefix $(or $(PREFIX),/usr/local)
