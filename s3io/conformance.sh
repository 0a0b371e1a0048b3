#!/usr/bin/env bash
# Runs s3io's conformance suite against the S3 that AWS_ENDPOINT_URL_S3 and the credentials in the environment name or,
# where none is named, against a versitygw started for it (https://github.com/versity/versitygw, Apache-2.0).
set -euo pipefail
versitygw=github.com/versity/versitygw/cmd/versitygw@v1.8.0

if [ -z "${AWS_ENDPOINT_URL_S3:-}" ]; then
  work=$(mktemp -d)
  gateway=
  trap '[ -z "$gateway" ] || kill "$gateway" 2>/dev/null || true; rm -rf "$work"' EXIT
  GOBIN=$work go install "$versitygw"
  mkdir "$work/objects" "$work/sidecar"

  port=${CONFORMANCE_PORT:-7490}
  "$work/versitygw" --port "127.0.0.1:$port" --access conformance --secret conformance-secret --quiet --keep-alive \
    posix --sidecar "$work/sidecar" "$work/objects" >"$work/log" 2>&1 &
  gateway=$!
  for _ in $(seq 100); do
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
    if ! kill -0 "$gateway" 2>/dev/null; then
      cat "$work/log" >&2
      exit 1
    fi
    sleep 0.1
  done
  export AWS_ENDPOINT_URL_S3=http://127.0.0.1:$port AWS_REGION=us-east-1
  export AWS_ACCESS_KEY_ID=conformance AWS_SECRET_ACCESS_KEY=conformance-secret
fi
echo "s3io's conformance suite against $AWS_ENDPOINT_URL_S3"
S3RESIZER_CONFORMANCE=1 go test -count=1 -run '^TestConformance' ./s3io
