# The Lambda function as an image, and what the compose files put around it. Needs BuildKit, Docker's default.
#
#   docker build -t s3resizer .
#   docker build -t s3resizer --platform linux/arm64 --provenance=false .     cross-compiled, nothing is emulated
#   docker build -t s3resizer:heic --build-arg HEIC=1 .                       the variant that reads HEIC too
#
# `make image` adds the version. The base images are arguments: a release pins each by its digest (see CONTRIBUTING.md).

ARG NODE_IMAGE=node:22-slim
ARG GO_IMAGE=golang:1.26-trixie
ARG BASE_IMAGE=gcr.io/distroless/cc-debian13:nonroot

# The pinned libvips for the target's architecture, its headers, and its licence.
FROM --platform=$BUILDPLATFORM $NODE_IMAGE AS libvips
ARG TARGETARCH
WORKDIR /libvips
COPY libvips/package.json libvips/package-lock.json libvips/link.sh ./
RUN npm ci --no-audit --no-fund --os=linux --libc=glibc --cpu="$(echo "$TARGETARCH" | sed 's/amd64/x64/')"

FROM --platform=$BUILDPLATFORM $GO_IMAGE AS go
ARG GOPROXY
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download

# The function: bootstrap, libvips beside it, and the licences of both.
FROM go AS build
ARG TARGETARCH
# libjpeg-turbo and zimg for the target, which are linked in, and a compiler, where it is not the builder's own architecture.
RUN dpkg --add-architecture "$TARGETARCH" && apt-get update && \
    apt-get install -y --no-install-recommends "libjpeg62-turbo-dev:$TARGETARCH" "libzimg-dev:$TARGETARCH" \
      $([ "$TARGETARCH" = "$(go env GOHOSTARCH)" ] || \
        echo "g++-$(echo "$TARGETARCH" | sed 's/amd64/x86-64/; s/arm64/aarch64/')-linux-gnu libc6-dev-$TARGETARCH-cross")
# For the variant: libheif and libde265 for the target.
ARG HEIC
RUN [ -z "$HEIC" ] || apt-get install -y --no-install-recommends "libheif-dev:$TARGETARCH" "libde265-dev:$TARGETARCH"
COPY --from=libvips /libvips libvips/
COPY libvips/vips.pc libvips/
COPY libvips/static libvips/static/
COPY cmd/lambda cmd/lambda
COPY internal/config internal/config
COPY internal/handler internal/handler
COPY internal/metrics internal/metrics
COPY internal/naming internal/naming
COPY internal/report internal/report
COPY resize resize
COPY s3io s3io
ARG VERSION=dev
# In the image the library stands beside the program, so that is where the program looks for it.
RUN --mount=type=cache,target=/root/.cache/go-build \
    sed -i 's|rpath,${libdir}|rpath,/var/runtime|' libvips/vips.pc && \
    export GOOS=linux GOARCH="$TARGETARCH" CGO_ENABLED=1 PKG_CONFIG_PATH=/src/libvips:/src/libvips/static && \
    # Go's cache does not know the headers' version; a flag that changes with it does.
    export CGO_CFLAGS="-O2 -DS3RESIZER_LIBVIPS=$(sed -n 's/^Version: //p' libvips/vips.pc)" && \
    if [ "$GOARCH" != "$(go env GOHOSTARCH)" ]; then export CC="$(echo "$GOARCH" | sed 's/amd64/x86_64/; s/arm64/aarch64/')-linux-gnu-gcc"; fi && \
    if [ -n "$HEIC" ]; then export PKG_CONFIG_LIBDIR="$(dirname "$(find /usr/lib -name libheif.pc)")"; fi && \
    go build -trimpath -tags "lambda.norpc${HEIC:+,heic}" -ldflags "-s -w -X main.version=$VERSION" -o /files/var/runtime/bootstrap ./cmd/lambda && \
    cp libvips/node_modules/@img/platform/lib/libvips-cpp.so.*.* /files/var/runtime/
COPY LICENSE NOTICE /files/licenses/
RUN cp libvips/node_modules/@img/platform/README.md /files/licenses/libvips.md && \
    cp libvips/node_modules/@img/platform/versions.json /files/licenses/libvips-versions.json && \
    cp "$(go env GOROOT)/LICENSE" /files/licenses/go.txt && \
    for package in libjpeg62-turbo-dev libzimg-dev; do cp "/usr/share/doc/$package/copyright" "/files/licenses/$package.txt" || exit 1; done && \
    dpkg-query -W "libjpeg62-turbo-dev:$TARGETARCH" "libzimg-dev:$TARGETARCH" > /files/licenses/linked-versions.txt && \
    go list -deps -tags lambda.norpc -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./cmd/lambda | sort -u | \
    while read -r module dir; do mkdir -p "/files/licenses/$module" && cp "$dir"/LICENSE* "$dir"/NOTICE* "/files/licenses/$module/" 2>/dev/null || true; done
# libheif, libde265, what they need beside the base, which changes with Debian's updates, and their licences. libheif's own
# plugins stay out: resize/internal/heic/hevc.c is what decodes.
RUN [ -z "$HEIC" ] || { libraries="$(dirname "$(find /usr/lib -name libheif.so.1)")" && mkdir -p "/files$libraries" && \
      add() { \
        case "$1" in libc.so.*|libm.so.*|libstdc++.so.*|libgcc_s.so.*|ld-linux*) return 0;; esac; \
        [ ! -e "/files$libraries/$1" ] || return 0; \
        package="$(dpkg -S "$libraries/$1" | cut -d : -f 1)"; \
        cp -L "$libraries/$1" "/files$libraries/" && cp "/usr/share/doc/$package/copyright" "/files/licenses/$package.txt" || return 1; \
        for needed in $(readelf -d "$libraries/$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p'); do add "$needed" || return 1; done; \
      } && add libheif.so.1 && add libde265.so.0; }

# What is ours in the image, by itself: `docker build --target files --output folder .`
FROM scratch AS files
COPY --from=build /files/ /

# The C and C++ libraries that it was linked against, for running it where there are others, or none for its architecture.
FROM build AS build-libraries
RUN mkdir -p /libraries/lib && \
    for file in $(dpkg -L "libc6:$TARGETARCH" "libgcc-s1:$TARGETARCH" "libstdc++6:$TARGETARCH" | grep '/[^/]*\.so\.[0-9.]*$'); do \
      [ ! -f "$file" ] || cp -L "$file" /libraries/lib/ || exit 1; done
FROM scratch AS libraries
COPY --from=build-libraries /libraries/ /

# glibc, libstdc++ and the certificates, of distroless; less glibc's converters between character sets, 8 MB that
# nothing here opens, and the scripts that come with Debian's packages.
FROM $BASE_IMAGE AS distroless
FROM --platform=$BUILDPLATFORM $GO_IMAGE AS base
RUN --mount=from=distroless,target=/distroless cp -a /distroless /base && \
    rm -rf /base/usr/lib/*/gconv /base/usr/sbin/* /base/etc/update-motd.d /base/var/lock

# Lambda for a laptop, for the compose files.
FROM go AS build-lambda-local
ARG TARGETARCH
COPY cmd/lambda-local cmd/lambda-local
COPY internal/localguard internal/localguard
COPY internal/naming internal/naming
COPY internal/queue internal/queue
COPY internal/runtimeapi internal/runtimeapi
RUN --mount=type=cache,target=/root/.cache/go-build mkdir -p /files/spool && \
    CGO_ENABLED=0 GOARCH="$TARGETARCH" go build -trimpath -ldflags "-s -w" -o /files/lambda-local ./cmd/lambda-local

FROM scratch AS lambda-local
COPY --from=distroless /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build-lambda-local --chown=65532:65532 /files/ /
USER 65532:65532
ENTRYPOINT ["/lambda-local"]

# s3wire, for where Go is not installed:
#
#   docker build -t s3wire --target cli .
#   docker run --rm --user "$(id -u)" -v ~/.aws:/.aws:ro -e AWS_PROFILE s3wire show s3://bucket
FROM go AS build-cli
ARG TARGETARCH
COPY cmd/s3wire cmd/s3wire
COPY internal/naming internal/naming
COPY internal/wire internal/wire
ARG VERSION=dev
RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOARCH="$TARGETARCH" go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /files/s3wire ./cmd/s3wire

FROM scratch AS cli
COPY --from=distroless /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build-cli /files/ /
# Whoever runs it, the AWS configuration is looked for in /.aws.
ENV HOME=/
USER 65532:65532
ENTRYPOINT ["/s3wire"]

# A production S3 gateway on a folder (Apache-2.0), built from its module; it never enters ours.
FROM --platform=$BUILDPLATFORM $GO_IMAGE AS build-versitygw
ARG GOPROXY TARGETARCH
WORKDIR /versitygw
RUN --mount=type=cache,target=/root/.cache/go-build \
    # a bucket is a folder
    mkdir -p /files/data/sidecar /files/data/objects/photos /files/data/objects/photos-resized && \
    go mod init versitygw && go get github.com/versity/versitygw/cmd/versitygw@v1.8.0 && \
    CGO_ENABLED=0 GOARCH="$TARGETARCH" go build -trimpath -ldflags "-s -w" -o /files/versitygw github.com/versity/versitygw/cmd/versitygw

FROM scratch AS versitygw
COPY --from=build-versitygw --chown=65532:65532 /files/ /
USER 65532:65532
ENTRYPOINT ["/versitygw"]

# The integration suite, and s3io's conformance suite: `go test`, compiled.
FROM go AS build-test
ARG TARGETARCH
COPY cmd/lambda-local/stack cmd/lambda-local/stack
COPY internal/devserver internal/devserver
COPY internal/localguard internal/localguard
COPY internal/naming internal/naming
COPY s3io s3io
RUN --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOARCH="$TARGETARCH" go test -c -tags stack -o /files/stack.test ./cmd/lambda-local/stack && \
    CGO_ENABLED=0 GOARCH="$TARGETARCH" go test -c -o /files/s3io.test ./s3io

FROM scratch AS test
COPY --from=build-test /files/ /
USER 65532:65532
ENTRYPOINT ["/stack.test"]
CMD ["-test.v"]

# The function's image: the last stage, so that it is what a plain `docker build .` makes.
FROM scratch AS function
COPY --from=base /base/ /
COPY --from=files / /
ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt
# One malloc arena: glibc's default of several per core costs libvips's threads up to three times the memory. And each
# thread keeps nothing but small pieces that it has freed: a few larger ones per thread, strewn over the heap, hold pages
# that can't be given back, and a process of thousands of pictures grew by 1 to 2 MB with every thousand.
ENV MALLOC_ARENA_MAX=1 GLIBC_TUNABLES=glibc.malloc.tcache_max=128
USER 65532:65532
ENTRYPOINT ["/var/runtime/bootstrap"]
ARG VERSION=dev REVISION=unknown BASE_IMAGE
LABEL org.opencontainers.image.title="s3resizer" \
      org.opencontainers.image.description="AWS Lambda function: each picture that lands in an S3 bucket becomes several widths, decoded once" \
      org.opencontainers.image.licenses="MIT AND LGPL-3.0-or-later" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="$BASE_IMAGE"
