# Everything a newcomer needs: `make demo` and `make test`. Each target gets what it is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# LIBVIPS=system builds with the system's libvips (8.14 or newer) instead of the pinned one.
LIBVIPS ?= pinned
ifeq ($(filter pinned system,$(LIBVIPS)),)
$(error LIBVIPS=$(LIBVIPS): want pinned or system)
endif
ifeq ($(LIBVIPS),pinned)
libvips := libvips/node_modules/.package-lock.json
# Where libraries can be named as files, libjpeg-turbo and zimg are linked statically: the image has libvips alone.
export PKG_CONFIG_PATH := $(CURDIR)/libvips$(if $(filter Linux,$(shell uname)),:$(CURDIR)/libvips/static)
else
libvips :=
export PKG_CONFIG_PATH := $(filter-out $(CURDIR)/libvips%,$(PKG_CONFIG_PATH))
endif
# HEIC=1 builds what reads HEIC too, with the system's libheif and libde265: the binaries, and the image s3resizer:heic.
HEIC ?=
export HEIC
tags := $(if $(HEIC),-tags heic)
browsertest := internal/gallery/browsertest/node_modules/.package-lock.json
comma := ,
quoted = '$(subst ','\'',$(1))'
# Go's build cache does not know what pkg-config answered. A flag that differs with the libvips that it finds keeps a
# build from using what was compiled for another one.
export CGO_CFLAGS := -O2 -g -DS3RESIZER_LIBVIPS=$(LIBVIPS):$(shell sed -n 's/^Version: //p' libvips/vips.pc):$(PKG_CONFIG_PATH)
# One malloc arena: glibc's default of several per core costs libvips's threads up to three times the memory.
export MALLOC_ARENA_MAX ?= 1

version := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
ldflags := -s -w -X main.version=$(version)

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1|/p' Makefile | while IFS='|' read -r target text; do printf '%-16s  %s\n' "$$target" "$$text"; done

.PHONY: demo
demo: bin/s3resizer ## resize pictures through an S3 in this process: generated ones, or PHOTOS=folder
	@bin/s3resizer demo --out demo-out $(if $(PHOTOS),--photos $(call quoted,$(PHOTOS)))

.PHONY: dev
dev: bin/s3resizer ## a page to drop pictures on, and an S3 endpoint that resizes what is put there; ARGS='--addr … --data …'
	@bin/s3resizer dev $(ARGS)

.PHONY: build
build: bin/lambda bin/s3resizer bin/lambda-local bin/s3wire ## bin/lambda, bin/s3resizer, bin/lambda-local and bin/s3wire

# What reads the bytes of a format has no goroutines, and the detector makes its tests slow.
bytes := \(credit\|exif\|gif\|icc\|isobmff\|jpeg\|png\|tiff\|webp\)

.PHONY: test
test: tools $(libvips) ## all tests, race detector on
	@./tools.sh $(LIBVIPS) tiffcp exiftool djpeg dwebp avifdec
	go vet $(tags) ./...
	go test -race -short -timeout 20m $(tags) $$(go list ./... | grep -v -e /cmd/ -e /bench/ -e /resizetest -e '/resize/internal/$(bytes)$$')
	go test -race -short -timeout 20m $(tags) -count=1 ./cmd/... # which build their commands themselves: the cache of results does not see it
	go test $(tags) ./resize/... ./bench/... # once more for what loops over pixels, for minutes with the detector: -short leaves it out

.PHONY: gallery-test
gallery-test: tools bin/s3resizer $(browsertest) ## the page of make dev, in Chromium
	@./tools.sh $(LIBVIPS) chromium
	node --test --test-concurrency=1 --test-reporter=spec internal/gallery/browsertest/*.test.mjs

.PHONY: screenshot
screenshot: tools bin/s3resizer $(browsertest) ## docs/gallery.jpg, with the generated pictures; one key is Korean, which takes a font such as fonts-nanum
	@./tools.sh $(LIBVIPS) chromium
	node internal/gallery/browsertest/screenshot.mjs docs/gallery.jpg

.PHONY: torture
torture: tools $(libvips) ## the long forms of the tests of order, faults and kills, half an hour; TORTURE=interleavings
	S3RESIZER_LONG=1 go test -count=1 -v -timeout 1h -run '^TestEveryOrderEndsRight$$' ./internal/protocol
	TORTURE=$(TORTURE) go test -count=1 -v -timeout 24h -run '^(TestEveryOrder|TestEveryFaultOfTheNetwork|TestKilledAtAnyMoment|TestBackfillKilledAtAnyMoment)$$' ./internal/handler ./cmd/lambda ./cmd/s3resizer
TORTURE ?= 100000

.PHONY: test-heic
test-heic: $(libvips) ## the tests of HEIC, with the system's libheif and libde265
	@./tools.sh $(LIBVIPS) heic
	go vet -tags heic ./resize
	go test -tags heic -run 'HEIC|Formats|Rejections' ./resize
	go test -tags heic -run 'TestConformance/HEIC' ./resize/conformance

# What crosses between Go and C, and C and libvips: whole pictures of every kind, cut and damaged ones, readers that fail,
# work that is interrupted. Not what starts a process of its own with less memory than the sanitizer takes.
.PHONY: asan
asan: tools $(libvips) ## the C under AddressSanitizer and LeakSanitizer, which fails on a lost byte; HEIC=1 for HEIC's too
	ASAN_OPTIONS=quarantine_size_mb=4 go test -asan -short -count=1 $(tags) ./resize/internal/vips ./resize/internal/planar # a test of theirs measures growth
	go test -asan -short -count=1 $(tags) -run '^Test.*($(ASAN))' ./resize
ASAN ?= $(if $(HEIC),HEIC|)Spoiled|Planes|Cut|Placeholder|Formats|Rejections|Reader|NotThePicturesFault|FailingEmit|Suspect|AlphaOf|Animations

.PHONY: test-system
test-system: ## the build with the system's libvips, 8.14 or newer, and the short form of its tests
ifneq ($(LIBVIPS),system)
	$(MAKE) test-system LIBVIPS=system
else
	@./tools.sh system tiffcp exiftool
	go build -o /dev/null ./cmd/lambda
	go vet ./resize/...
	go test -short ./resize ./resize/internal/vips ./resize/internal/planar ./resize/conformance
endif

.PHONY: soak
soak: tools $(libvips) ## 20,000 pictures, good and bad, through one process, half an hour; SOAK=pictures
	@{ $(about) 'soak SOAK=$(SOAK)'; echo "machine: $$(uname -sr), $$(nproc) CPUs"; \
	   SOAK=$(SOAK) go test -count=1 -v -timeout 24h -run '^TestSoak$$' ./cmd/lambda; } | tee bench/results/soak.txt.part
	@mv bench/results/soak.txt.part bench/results/soak.txt
SOAK ?= 20000
about = printf 'commit: %s\ndate: %s\ncommand: make %s\n' '$(version)' "$$(date -u '+%F %R UTC')"

.PHONY: conformance
conformance: tools $(libvips) ## s3io against versitygw, or against the S3 in AWS_ENDPOINT_URL_S3
	s3io/conformance.sh

# DOCKER_FLAGS are for docker build, such as --platform linux/arm64, or what reaching the network takes.
DOCKER ?= docker
IMAGE ?= s3resizer$(if $(HEIC),:heic)
build-image = DOCKER_BUILDKIT=1 BUILDX_NO_DEFAULT_ATTESTATIONS=1 $(DOCKER) build $(DOCKER_FLAGS) \
	--build-arg VERSION=$(version) --build-arg REVISION=$(shell git rev-parse HEAD 2>/dev/null || echo unknown) \
	$(if $(HEIC),--build-arg HEIC=1)
export DOCKER IMAGE

.PHONY: image
image: engine ## the function's container image, s3resizer; with HEIC=1 s3resizer:heic, which reads HEIC too
	$(build-image) -t $(IMAGE) .

.PHONY: image-test
image-test: tools $(libvips) bench/reference/node_modules/.package-lock.json image ## the tests of the image, and of the function in it, on amd64 and arm64
	go test -count=1 -tags image -v -run 'Image|Notice' ./cmd/lambda
	LAMBDA_FUNCTION=$(CURDIR)/cmd/lambda/testdata/image go test -count=1 $(if $(HEIC),-run 'TestFunction|TestHEIC') ./cmd/lambda
	$(build-image) --platform linux/arm64 --target files --output bin/arm64$(if $(HEIC),-heic) .
	$(build-image) --platform linux/arm64 --target libraries --output bin/arm64-libraries .
	@./tools.sh $(LIBVIPS) arm64
	cmd/lambda/testdata/arm64-test bin/arm64$(if $(HEIC),-heic) bin/arm64-libraries

.PHONY: image-test-heic
image-test-heic: ## the same for the variant with HEIC, less what can't differ
	$(MAKE) image-test HEIC=1 IMAGE=$(IMAGE):heic

.PHONY: cli-test
cli-test: tools engine ## s3wire's image, as the scripts run it where there is no Go, and s3wire's own tests in it
	$(build-image) --target cli -t s3wire .
	S3WIRE=$(CURDIR)/cmd/s3wire/testdata/image go test -count=1 -run 'Wiring|Failures' ./cmd/s3wire

.PHONY: stack-images
stack-images: image ## the images of the compose files
	$(foreach target,lambda-local versitygw test,$(build-image) --target $(target) -t $(IMAGE)-$(target) . &&) true

.PHONY: stack-test
stack-test: stack-images ## the stacks of both compose files, LocalStack's and versitygw's: their suite, and the function killed meanwhile
	cmd/lambda-local/stack/run.sh docker-compose.yml
	cmd/lambda-local/stack/run.sh docker-compose.versitygw.yml

.PHONY: deploy-test engine
deploy-test: engine image $(browsertest) ## the template and its scripts on LocalStack, with each trigger: deployed and updated; a failing one, dead letters, the end; a page that gets its message
	@./tools.sh $(LIBVIPS) awscli chromium java
	mvn -q -B -f docs/ready/spring -DskipTests package
	deploy/localstack/test.sh -v
engine:
	@deploy/engine.sh

# What these need is the AWS CLI, and Docker: push for its images, the others where there is no Go. Without CONFIRM=yes they
# read, and print what they would do.
.PHONY: push deploy destroy
push: ## put the image into ECR, for both architectures; CONFIRM=yes does it, else it is only shown
	@deploy/push.sh
deploy: ## make the stack, wire the bucket, put a picture through; SOURCE_BUCKET=… PARAMETERS='Trigger=sqs …' CONFIRM=yes
	@deploy/deploy.sh
destroy: ## unwire the bucket and delete the stack, keep the buckets; CONFIRM=yes
	@deploy/destroy.sh

.PHONY: deploy-lint
deploy-lint: tools deploy/lint/node_modules/.package-lock.json ## AWS's linter over the template, shellcheck and actionlint over scripts and workflows
	@./tools.sh $(LIBVIPS) shellcheck
	node deploy/lint/lint.mjs deploy/template.yaml deploy/notify.yaml
	shellcheck -x tools.sh .ci/run deploy/*.sh deploy/localstack/*.sh cmd/lambda-local/stack/run.sh s3io/conformance.sh deploy/testdata/aws deploy/testdata/docker cmd/s3wire/testdata/image
	go run github.com/rhysd/actionlint/cmd/actionlint@$(actionlint)

actionlint := v1.7.7

.PHONY: ready-test
ready-test: tools ## what docs/ready.md shows, compiled and run: the Spring service, the patterns in AWS's own matcher, the browser's part
	@./tools.sh $(LIBVIPS) java
	mvn -q -B -f docs/ready/spring test
	mvn -q -B -f deploy/ruler compile dependency:copy-dependencies
	go test -count=1 -tags ruler -run Pattern ./deploy
	node --test --test-reporter=spec docs/ready/picture.test.mjs

.PHONY: dist
dist: tools $(libvips) ## what a release has beside the image, for this machine's architecture: s3resizer with its libvips, s3wire
	rm -rf dist && mkdir -p dist/s3resizer dist/s3wire
	go build -trimpath -ldflags '$(ldflags) -r $$ORIGIN' -o dist/s3resizer/ ./cmd/s3resizer
	cp libvips/node_modules/@img/platform/lib/libvips-cpp.so.*.* LICENSE NOTICE dist/s3resizer
	cp libvips/node_modules/@img/platform/README.md dist/s3resizer/libvips.md
	for library in libjpeg libzimg; do cp "/usr/share/doc/$$(dpkg -S "*/$$library.a" | head -n 1 | cut -d : -f 1)/copyright" dist/s3resizer/$$library.txt; done
	tar -C dist -czf dist/s3resizer-$(version)-linux-$$(go env GOARCH).tar.gz s3resizer
	for os in linux darwin; do \
	  CGO_ENABLED=0 GOOS=$$os go build -trimpath -ldflags '$(ldflags)' -o dist/s3wire/ ./cmd/s3wire; \
	  cp LICENSE dist/s3wire; \
	  tar -C dist -czf dist/s3wire-$(version)-$$os-$$(go env GOARCH).tar.gz s3wire; \
	done

# Without a bound, the fuzzer spends a minute on making each input that it finds interesting smaller.
.PHONY: fuzz
fuzz: tools $(libvips) ## every fuzz target in turn, 30 seconds each; FUZZTIME=…, FUZZ=regexp; HEIC=1 for HEIC too
	@for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
	  targets=$$(go test $(tags) -list '$(FUZZ)' $$package); \
	  for target in $$(grep '^Fuzz' <<<"$$targets"); do \
	    echo "$$target ($$package)"; \
	    go test $(tags) -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x -parallel 1 $$package; \
	  done; \
	done
FUZZ ?= ^Fuzz
FUZZTIME ?= 30s

.PHONY: mutants
mutants: tools $(libvips) ## the code broken on purpose, a line at a time, beside the test that must notice; ten minutes
	go run ./internal/mutants $(ARGS)

.PHONY: memory
memory: tools $(libvips) ## what pictures take, against what was estimated; the function at 512 MB; bombs; minutes
	S3RESIZER_LONG=1 go test -count=1 -timeout 1h -v ./resize/resizetest/heavy
	S3RESIZER_LONG=1 go test -count=1 -timeout 1h -v -run NoPicture ./cmd/lambda

.PHONY: hostile
hostile: tools $(libvips) ## small files made to take long or much memory, growing, through the function with 1769 MB: seconds, memory, verdict; a minute
	S3RESIZER_LONG=1 go test -count=1 -v -timeout 1h -run '^TestHostile$$' ./cmd/lambda

.PHONY: lint
lint: tools $(libvips) ## golangci-lint, with the import rules of .golangci.yml
	go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(golangci) run

golangci := v2.15.0

.PHONY: vulncheck
vulncheck: tools $(libvips) ## govulncheck: known vulnerabilities in what is called; asks vuln.go.dev
	go run golang.org/x/vuln/cmd/govulncheck@$(govulncheck) ./...

govulncheck := v1.9.0

.PHONY: bench
bench: tools $(libvips) ## benchmarks, six times each; BENCH=regexp, OUT=file, BASE=file to compare with
	@{ $(about) 'bench BENCH=$(BENCH)'; \
	   go test -run '^$$' -bench '$(BENCH)' -count 6 -timeout 2h ./bench; } | tee '$(OUT).part'
	@mv '$(OUT).part' '$(OUT)'
	@[ -z '$(BASE)' ] || go run golang.org/x/perf/cmd/benchstat@$(benchstat) -ignore commit,date,command '$(BASE)' '$(OUT)'
BENCH ?= .
OUT ?= bench/results/bench.txt
benchstat := v0.0.0-20260908200009-22c9c6c9d4da

.PHONY: compare
compare: bin/lambda bin/s3resizer bin/bench-compute bench/reference/node_modules/.package-lock.json ## measure against the Node.js handler that this replaces, 25 minutes; ARGS='-only … -pictures … -n …'
	@./tools.sh $(LIBVIPS) djpeg
	go run ./bench/compare $(ARGS)
	@go run ./bench/cost >/dev/null # docs/scale.md is made of it

.PHONY: cost
cost: tools ## what pictures cost at AWS, from the results of make compare and bench/cost/prices.json; writes docs/scale.md's tables
	@go run ./bench/cost

.PHONY: effort
effort: tools $(libvips) ## what the encoders' efforts cost and bring, ten minutes; writes docs/effort.md's table and its chart
	@go run ./bench/effort

.PHONY: sheet
sheet: tools $(libvips) ## docs/sizes.jpg: one photo in sizes of every kind
	@go run ./docs/sheet

.PHONY: field
field: tools $(libvips) ## FILES=folder: what this program, Chromium and each format's own decoder don't show alike; ARGS='-above … -keep folder'
	@go run ./bench/field $(ARGS) $(call quoted,$(FILES))

.PHONY: env
env: $(libvips) ## print what plain `go` commands need: eval "$(make env)"
	@echo 'export PKG_CONFIG_PATH="$(PKG_CONFIG_PATH)" CGO_CFLAGS="$(CGO_CFLAGS)" MALLOC_ARENA_MAX=$(MALLOC_ARENA_MAX)'

.PHONY: clean
clean: ## remove what make has made
	rm -rf bin dist demo-out libvips/node_modules internal/gallery/browsertest/node_modules deploy/lint/node_modules bench/.cache bench/reference/node_modules bench/reference/dist docs/ready/spring/target deploy/ruler/target

# Go knows best what is out of date.
.PHONY: bin/lambda bin/s3resizer bin/lambda-local bin/s3wire bin/bench-compute
bin/lambda: tools $(libvips)
	go build -trimpath -tags lambda.norpc$(if $(HEIC),$(comma)heic) -ldflags '$(ldflags)' -o $@ ./cmd/lambda
bin/s3resizer: tools $(libvips)
	@go build -trimpath $(tags) -ldflags '$(ldflags)' -o $@ ./cmd/s3resizer

bin/lambda-local bin/s3wire: tools
	CGO_ENABLED=0 go build -trimpath -ldflags '$(ldflags)' -o $@ ./cmd/$(@F)
bin/bench-compute: tools $(libvips)
	@go build -trimpath -o $@ ./bench/compare/compute

bench/reference/node_modules/.package-lock.json: bench/reference/package-lock.json | tools
	cd bench/reference && npm ci --silent --no-audit --no-fund && npm run --silent bundle
	@touch $@

$(browsertest): internal/gallery/browsertest/package-lock.json | tools
	cd internal/gallery/browsertest && npm ci --silent --no-audit --no-fund
	@touch $@

deploy/lint/node_modules/.package-lock.json: deploy/lint/package-lock.json | tools
	cd deploy/lint && npm ci --silent --no-audit --no-fund
	@touch $@

libvips/node_modules/.package-lock.json: libvips/package-lock.json libvips/link.sh | tools
	cd libvips && npm ci --silent --no-audit --no-fund
	@touch $@

# What the build needs of the machine. As root on Debian and its kin, what is missing is installed.
.PHONY: tools
tools:
	@./tools.sh $(LIBVIPS) $(if $(HEIC),heic)
