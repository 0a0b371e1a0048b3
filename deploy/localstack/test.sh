#!/usr/bin/env bash
# Runs the tests beside it: starts LocalStack, with the executor that runs the function's image, and takes it and
# all of the function's containers away again, whatever happens.
#   test.sh [ARGUMENTS of go test]
# IMAGE is the function's image. PORT is LocalStack's, and makes the names of the containers: two runs can go side by side.
set -euo pipefail
cd "$(dirname "$0")"
: "${DOCKER:=docker}" "${IMAGE:=s3resizer}" "${PORT:=4577}"
missing() {
  echo "missing: $1" >&2
  exit 1
}
"$DOCKER" info >/dev/null 2>&1 || missing "Docker's engine (see what \`$DOCKER info\` says)"
aws=
while read -r found; do
  if [[ $("$found" --version 2>&1) == aws-cli/2.* ]]; then aws=$found && break; fi
done < <(type -ap aws)
[ -n "$aws" ] || missing "the AWS CLI, version 2 (https://aws.amazon.com/cli; on Debian: sudo apt-get install awscli)"

name=s3resizer-deploy-test-$PORT
work=$(mktemp -d)
clean() {
  "$DOCKER" ps -aq --filter "name=^$name" | xargs -r "$DOCKER" rm -f >/dev/null
  "$DOCKER" rmi "${IMAGE_URI:-}" >/dev/null 2>&1 || true
}
finish() {
  status=$?
  [ "$status" = 0 ] || { echo "The end of LocalStack's log:" && "$DOCKER" logs --tail 150 "$name" 2>&1; } >&2
  clean
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM
clean

# The credentials choose LocalStack's account; nothing of this machine's own settings reaches AWS.
export AWS_ENDPOINT_URL=http://127.0.0.1:$PORT AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=eu-central-1
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_DEFAULT_REGION
# Before 2.13, the CLI doesn't know AWS_ENDPOINT_URL.
printf '#!/bin/sh\nexec %q --endpoint-url %q "$@"\n' "$aws" "$AWS_ENDPOINT_URL" >"$work/aws"
chmod +x "$work/aws"
export PATH=$work:$PATH LOCALSTACK_CONTAINER=$name

case $(uname -m) in
x86_64) ARCHITECTURE=x86_64 ;;
*) ARCHITECTURE=arm64 ;;
esac
IMAGE_URI=000000000000.dkr.ecr.$AWS_REGION.amazonaws.com/s3resizer:$name
"$DOCKER" tag "$IMAGE" "$IMAGE_URI"
export ARCHITECTURE IMAGE_URI DOCKER

# The service of docs/ready.md is called over TLS alone: it has this certificate, and LocalStack trusts it.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1 \
  -addext subjectAltName=IP:127.0.0.1 -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
export WORK=$work

# Lambda tries a failed event again after a minute and after two more, and polls an empty queue less and less often: not here.
"$DOCKER" run --detach --name "$name" --network host \
  --volume "$PWD/executor:/opt/executor:ro" --env PYTHONPATH=/opt/executor --env LAMBDA_RUNTIME_EXECUTOR=image \
  --volume "$work/certificate.pem:/opt/certificate.pem:ro" --env REQUESTS_CA_BUNDLE=/opt/certificate.pem \
  --volume "${DOCKER_SOCKET:-/var/run/docker.sock}:/var/run/docker.sock" --env "MAIN_CONTAINER_NAME=$name" \
  --env "GATEWAY_LISTEN=127.0.0.1:$PORT" --env "LOCALSTACK_HOST=127.0.0.1:$PORT" \
  --env LS_LOG=warning --env LAMBDA_RETRY_BASE_DELAY=1 --env LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC=1 \
  --env LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC=1 \
  localstack/localstack:4.14.0 >/dev/null
go test -count=1 -tags localstack -parallel 4 -timeout 60m "$@" .
