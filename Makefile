# The two that matter: `make up` brings the platform up on this computer, `make test` runs every test.
# `make help` lists the rest. Logic lives in Go (node/, lab/); this file only names it.

GO       := $(shell ./bootstrap go)
export PATH := $(dir $(GO)):$(PATH)
# go.mod names the release; a newer or older go fetches exactly that one.
export GOTOOLCHAIN := $(shell sed -n 's/^go \(.*\)/go\1/p' go.mod)+auto
export KUBEPANEL_STATE ?= /var/lib/kubepanel

TOOL     := go tool -modfile=tools/go.mod
NODE     := bin/node
MACHINE  ?= main
N        ?= 1000
# Every page of the panel in every dress, as tests photographed it.
ARTIFACTS := $(CURDIR)/lab/artifacts/pages
MODULES  := . node tools lab/cyclonus lab/rclone $(wildcard node/components/*)
# The files a program is built from; everything else can't make it stale.
NODE_GO  := $(shell find node -name '*.go' -not -path '*/components/*') node/go.mod node/go.sum $(shell find node/manifests -type f)

.DEFAULT_GOAL := help
.PHONY: cyclonus rclone help up down purge env status test unit lab bench chaos bench-operator bench-panel generate scripts lint fuzz clean panel-pictures

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(NODE): $(NODE_GO)
	cd node && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o ../$@ .

up: $(NODE) ## bring the platform up on this computer, with a demo site (again and again: it converges)
	$(NODE) up --machine $(MACHINE) --demo

down: $(NODE) ## stop the platform; sites and their data stay in the state folder
	$(NODE) down --machine $(MACHINE)

purge: $(NODE) ## stop the platform and remove every site and all data of it (asks first)
	$(NODE) purge --machine $(MACHINE)

env: $(NODE) ## print the KUBECONFIG and PATH lines for eval "$(make -s env)"
	@$(NODE) env --machine $(MACHINE)

status: $(NODE) ## tell how the machine, the node and the platform are
	@$(NODE) status --machine $(MACHINE)

test: ## run every test: unit, real API server, then end to end on a fresh node of its own
	$(MAKE) unit
	$(MAKE) lab

unit: $(NODE) ## the tests that need no node: rules, golden files, real API server, real MariaDB, nginx, SSH
	./bootstrap test
	$(NODE) build kubernetes etcd helm
	PANEL_PICTURES=$(ARTIFACTS) go test -race -shuffle=on -timeout 20m ./...
	cd node && go test -race -shuffle=on ./...
	cd node/components/csi-driver && go test -race -shuffle=on ./...
	cd node/components/csi-controllers && CGO_ENABLED=0 go test -trimpath ./... # built like the program, which is built already
	cd tools && go test -race -shuffle=on ./...

lab: $(NODE) ## the end-to-end tests alone, on a fresh machine named lab
	./bootstrap test
	$(NODE) purge --machine lab --yes
	$(NODE) up --machine lab
	eval "$$($(NODE) env --machine lab)" && KUBEPANEL_LAB=1 go test -count=1 -timeout 40m -v ./lab/
	$(NODE) up --machine lab --scanner
	eval "$$($(NODE) env --machine lab)" && KUBEPANEL_LAB=1 KUBEPANEL_SCANNER=1 go test -count=1 -timeout 10m -v -run TestTheScanner ./lab/
	$(NODE) purge --machine lab --yes

LAB ?= lab
cyclonus: $(NODE) ## try every kind of network policy on the machine LAB=lab (KUBEPANEL_CYCLONUS=1 for each single case)
	./bootstrap test
	$(NODE) up --machine $(LAB)
	eval "$$($(NODE) env --machine $(LAB))" && cd lab/cyclonus && KUBEPANEL_LAB=1 go test -count=1 -timeout 80m -v ./...

rclone: ## run rclone's own tests of its SFTP backend against the toolbox
	cd lab/rclone && go test -count=1 -v ./...

bench: $(NODE) ## measure sites, their neighbours and, with 5,000 domains, the operator (docs/performance.md)
	./bootstrap test
	$(NODE) up --machine lab
	eval "$$($(NODE) env --machine lab)" && KUBEPANEL_LAB=1 go test -count=1 -timeout 30m -run '^$$' -bench . -benchtime 1x ./lab/
	$(NODE) down --machine lab
	$(MAKE) bench-operator N=5000 SHORT=1

bench-operator: $(NODE) ## measure the operator with N domains (N=1000), without a node (SHORT=1: only made and started anew)
	./bootstrap test
	$(NODE) build kubernetes etcd
	go test $(if $(SHORT),-short) -count=1 -timeout 2h -run '^$$' -bench Operator -benchtime 1x ./internal/operator/domain/program \
		-args -domains=$(N) -result=$(CURDIR)/bin/bench-operator.json

bench-panel: $(NODE) ## measure the panel with 100, 1,000 and 10,000 sites, without a node
	./bootstrap test
	$(NODE) build kubernetes etcd
	go test -count=1 -timeout 30m -run '^$$' -bench Panel -benchtime 1x ./cmd/panel

PICTURES := docs/panel/pictures
panel-pictures: $(NODE) ## make the pictures of the panel's guides anew; all of its pages, in every dress, are in lab/artifacts/pages then
	$(NODE) build kubernetes etcd
	PANEL_PICTURES=$(ARTIFACTS) go test -count=1 -run StandStill ./cmd/panel
	for picture in $(notdir $(wildcard $(PICTURES)/*.webp)); do cp $(ARTIFACTS)/$$picture $(PICTURES)/; done

CHAOS ?= 10m
chaos: $(NODE) ## kill what the platform stands on at random, for CHAOS=10m, and see that nothing is lost
	./bootstrap test
	$(NODE) up --machine lab
	eval "$$($(NODE) env --machine lab)" && CHAOS=$(CHAOS) CHAOS_SEED=$(CHAOS_SEED) KUBEPANEL_LAB=1 go test -count=1 -timeout 60m -v -run '^TestChaos$$' ./lab/

generate: ## make every generated file anew: deep copies, CRDs, their reference pages, the panel's pages, the API's document and its client, docs/cli.md
	$(TOOL) controller-gen object paths=./api/... crd output:crd:dir=deploy/kubepanel/files/crds
	$(TOOL) templ generate -path internal/panel/web
	$(TOOL) templ generate -path internal/panel/rest
	$(TOOL) templ generate -path internal/panel/mail
	go run ./cmd/panel openapi > docs/panel/openapi.json
	cd internal/client && go tool -modfile=../../tools/go.mod oapi-codegen -config oapi-codegen.yaml ../../docs/panel/openapi.json
	cd tools && go run ./kindpages --crds ../deploy/kubepanel/files/crds --docs ../docs/kinds
	go test ./internal/cli -run Reference -update

scripts: ## bundle the panel's editor and terminal anew from what npm publishes (tools/scripts; needs npm)
	cd tools/scripts && npm ci --ignore-scripts --no-audit --no-fund && npm run build
	cp tools/scripts/node_modules/@xterm/xterm/css/xterm.css internal/panel/web/asset/static/xterm.css

lint: ## check style, import directions and known vulnerabilities
	$(TOOL) golangci-lint run ./...
	cd node && go tool -modfile=../tools/go.mod golangci-lint run ./...
	$(TOOL) govulncheck ./...

FUZZ ?= 10s
fuzz: ## run every fuzz test of every module for FUZZ=10s
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u | while read -r folder; do \
		(cd "$$folder" && go test -list '^Fuzz' . | grep '^Fuzz' | while read -r name; do \
			echo "$$folder $$name"; go test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZ) . || exit 1; \
		done) || exit 1; \
	done

clean: ## remove what was built inside this folder (the state folder keeps its cache)
	rm -rf bin lab/artifacts
