#!/usr/bin/env bash
# Fails, with one line, where Docker can't build our Dockerfile: its engine does not answer, or there is no BuildKit.
set -euo pipefail
: "${DOCKER:=docker}"

missing() {
  echo "missing: $*" >&2
  exit 1
}

command -v "$DOCKER" >/dev/null || missing "Docker (https://docs.docker.com/engine/install)"
"$DOCKER" info >/dev/null 2>&1 || missing "Docker's engine does not answer: see what \`$DOCKER info\` says"
if ! "$DOCKER" buildx version >/dev/null 2>&1; then
  # From 23 on, BuildKit is a plugin of the command.
  version=$("$DOCKER" version --format '{{.Client.Version}}')
  [[ ! $version =~ ^(2[3-9]|[3-9][0-9])\. ]] ||
    missing "Docker's plugin buildx, without which Docker $version has no BuildKit (docker-buildx-plugin, on Debian docker-buildx; https://docs.docker.com/go/buildx)"
fi
