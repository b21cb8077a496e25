# Switchboard. `make` alone lists what it can do; each target's comment is its help.
SHELL := bash
.DEFAULT_GOAL := help

# The pinned version of the CLI stands where tests read it too.
CLAUDE_VERSION := $(shell sed -n 's/^const Version = "\(.*\)"$$/\1/p' controlplane/e2e/claudecli/claudecli.go)
GOLANGCI_VERSION := v2.15.0
CONFORMANCE_NEWEST := 0.2.0-alpha.12
CONFORMANCE_STABLE := 0.1.16
INSPECTOR_VERSION := 2.12.0
XTERM_VERSION := 6.0.0
XTERM_UNICODE_VERSION := 0.9.0
DATA ?=
LISTEN ?= 127.0.0.1:8420
PUBLIC_URL ?= http://$(LISTEN)

OS := $(shell go env GOHOSTOS)
ARCH := $(subst amd64,x64,$(shell go env GOHOSTARCH))
CLAUDE_DIR := $(CURDIR)/.cache/claude-$(CLAUDE_VERSION)
CLAUDE := $(CLAUDE_DIR)/node_modules/@anthropic-ai/claude-code-$(OS)-$(ARCH)/claude
GOLANGCI := $(CURDIR)/.cache/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
# The conformance suite and the Inspector need Node 22, which comes as an npm package too.
NODE_PACKAGE := $(if $(filter darwin,$(OS)),node-bin-darwin-$(ARCH)@22.23.2,node-$(OS)-$(ARCH)@22.23.3)
NODE_DIR := $(CURDIR)/.cache/$(NODE_PACKAGE)
NODE := $(NODE_DIR)/node_modules/$(firstword $(subst @, ,$(NODE_PACKAGE)))/bin/node
SUITE := node_modules/@modelcontextprotocol/conformance/dist/index.js
NEWEST := $(CURDIR)/.cache/conformance-$(CONFORMANCE_NEWEST)/$(SUITE)
STABLE := $(CURDIR)/.cache/conformance-$(CONFORMANCE_STABLE)/$(SUITE)
INSPECTOR_DIR := $(CURDIR)/.cache/inspector-$(INSPECTOR_VERSION)
INSPECTOR := $(INSPECTOR_DIR)/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js
XTERM := $(CURDIR)/.cache/xterm-headless-$(XTERM_VERSION)/node_modules
# Root's git refuses a clone that another user owns; the version is then "dev".
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
BUILD := CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)'

export SWITCHBOARD_CLAUDE = $(CLAUDE)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

.PHONY: run
run: build postgres ## build and start everything on this machine, this machine enrolled as a host
	@exec bin/controlplane up --listen $(LISTEN) --public-url $(PUBLIC_URL) $(if $(DATA),--data $(DATA))

.PHONY: demo
demo: build postgres claude ## the same with the real Claude Code CLI on a scripted model: no account needed
	@go build -o bin/demo ./controlplane/e2e/demo
	@exec bin/demo --listen $(LISTEN)

.PHONY: build
build: ## build bin/controlplane and bin/hostagent
	@$(BUILD) -o bin/controlplane ./controlplane
	@$(BUILD) -o bin/hostagent ./hostagent

.PHONY: test
test: postgres claude ## all tests with the race detector: real PostgreSQL, NATS and Claude Code CLI
	go test -race -timeout 20m ./...

.PHONY: lint
lint: $(GOLANGCI) ## gofmt, go vet, golangci-lint, tidy modules, both programs for macOS
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	$(GOLANGCI) run
	go mod tidy -diff
	GOOS=darwin GOARCH=arm64 CGO_ENABLED=0 go vet ./hostagent/... ./controlplane
	sh -n deploy/*.sh

.PHONY: bench
bench: build postgres ## ratios to the limits measured in the same run, never bare times (ONLY=terminal for one part)
	go run ./controlplane/e2e/bench $(if $(ONLY),--only "$(ONLY)")

.PHONY: faults
faults: postgres claude ## people and random faults against what must hold (ARGS="-seed 7 -duration 5m", -real for the real CLI)
	go run ./controlplane/e2e/faults $(ARGS)

.PHONY: conformance
conformance: postgres claude $(NODE) $(NEWEST) $(STABLE) $(INSPECTOR) ## the public MCP conformance suite, in both eras (ONLY=a-scenario for one), and the MCP Inspector
	go run ./controlplane/e2e/conformance --node $(NODE) --newest $(NEWEST) --stable $(STABLE) $(if $(ONLY),--only $(ONLY))
	$(if $(ONLY),,go run ./controlplane/e2e/inspector --node $(NODE) --inspector $(INSPECTOR))

.PHONY: compat
compat: claude ## every behaviour of the CLI that we rely on (CLAUDE_VERSION=… for another; KEEP=1 keeps the result)
	go run ./controlplane/e2e/compat $(if $(KEEP),--keep hostagent/agentkind/claude) $(if $(ONLY),--only "$(ONLY)")

.PHONY: claude-samples
claude-samples: claude ## record anew what unit tests know of the CLI, and read the diff (ONLY=bash for one scene)
	go run ./controlplane/e2e/claudesamples --to hostagent/agentkind/testdata/claude $(if $(ONLY),--only "$(ONLY)")

# The tests of sessions that leave a recording: see recorded in hostagent/session/recording_test.go.
.PHONY: claude-sessions
claude-sessions: claude ## record the whole sessions anew that tests of the host agent replay, and their golden events
	go test -count=1 ./hostagent/session -record
	go test -count=1 ./hostagent/session -run '^TestRecordings' -update

.PHONY: golden
golden: ## rewrite the golden files; read the diff
	go test ./controlplane/mcptools ./hostagent/protocol -update

# What of Debian the recorded programs need.
RECORDED := vim less htop mc nano dialog tmux

.PHONY: screens
screens: claude $(XTERM) ## record real programs anew, with the screens that xterm.js makes of it (root, Debian; ONLY=vim for one)
	@for name in $(RECORDED); do command -v $$name >/dev/null || apt-get install -y --no-install-recommends $$name || exit 1; done
	go run ./controlplane/e2e/screens --xterm $(XTERM) --oracle controlplane/e2e/screens/oracle.cjs \
		--to hostagent/terminal/testdata $(if $(ONLY),--only $(ONLY))

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (default 20s)
	@for package in $$(go list ./...); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; go test -run '^$$' -fuzz "^$$target$$" -fuzztime $${FUZZTIME:-20s} $$package || exit 1; \
		done; \
	done

.PHONY: postgres
postgres: ## install PostgreSQL's binaries where they are missing
	@sh deploy/install-postgres.sh

.PHONY: claude
claude: $(CLAUDE) ## install the pinned Claude Code CLI into .cache

$(CLAUDE):
	@mkdir -p $(CLAUDE_DIR)
	npm install --prefix $(CLAUDE_DIR) --ignore-scripts --no-audit --no-fund --loglevel=error \
		@anthropic-ai/claude-code-$(OS)-$(ARCH)@$(CLAUDE_VERSION)

$(NODE):
	@mkdir -p $(NODE_DIR)
	npm install --prefix $(NODE_DIR) --ignore-scripts --no-audit --no-fund --loglevel=error $(NODE_PACKAGE)

$(CURDIR)/.cache/conformance-%/$(SUITE):
	@mkdir -p $(CURDIR)/.cache/conformance-$*
	npm install --prefix $(CURDIR)/.cache/conformance-$* --ignore-scripts --no-audit --no-fund --loglevel=error \
		@modelcontextprotocol/conformance@$*

$(INSPECTOR):
	@mkdir -p $(INSPECTOR_DIR)
	npm install --prefix $(INSPECTOR_DIR) --ignore-scripts --no-audit --no-fund --loglevel=error \
		@modelcontextprotocol/inspector@$(INSPECTOR_VERSION)

$(XTERM):
	@mkdir -p $(dir $@)
	npm install --prefix $(dir $@) --ignore-scripts --no-audit --no-fund --loglevel=error \
		@xterm/headless@$(XTERM_VERSION) @xterm/addon-unicode11@$(XTERM_UNICODE_VERSION)

$(GOLANGCI):
	GOBIN=$(dir $@) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

.PHONY: clean
clean: ## remove what was built and fetched (no data)
	rm -rf bin .cache
