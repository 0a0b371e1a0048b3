#!/usr/bin/env bash
# Brings the stack of a compose file up, beside any that is up already, runs s3io's conformance suite and the integration
# suite in it, kills the function in the middle of twenty uploads, starts it again, and shows that all sixty renditions
# arrive and no event was given up.
#   run.sh docker-compose.versitygw.yml
# The images are those that `make stack-images` made, and LocalStack's.
set -euo pipefail
cd "$(dirname "$0")/../../.."
export COMPOSE_FILE=${1:-docker-compose.yml} RESIZE_DELETE=on
export COMPOSE_PROJECT_NAME=s3resizer-stack-test S3_PORT=0 LAMBDA_PORT=0 # ports that are free

missing() {
  echo "missing: $1" >&2
  exit 1
}
"${DOCKER:=docker}" info >/dev/null 2>&1 || missing "a Docker engine that $DOCKER reaches"
image=$(sed -n 's/^ *image: \(localstack.*\)/\1/p' "$COMPOSE_FILE")
if [ -n "$image" ] && ! "$DOCKER" image inspect "$image" >/dev/null 2>&1; then
  "$DOCKER" pull -q "$image" >/dev/null || missing "the image $image, which $COMPOSE_FILE runs: it is not here, and no registry gave it"
fi

if "$DOCKER" compose version >/dev/null 2>&1; then
  compose() { "$DOCKER" compose "$@"; }
else
  # The newest release that `go install` can build.
  [ -x bin/docker-compose ] || { GOBIN=$PWD/bin go install github.com/docker/compose/v5/cmd@v5.0.2 && mv bin/cmd bin/docker-compose; }
  compose() { bin/docker-compose "$@"; }
fi

log=$(mktemp)
finish() {
  status=$?
  [ "$status" = 0 ] || compose logs --no-color --tail 60
  compose --profile test down --volumes --timeout 10 >/dev/null 2>&1
  rm -f "$log"
  exit "$status"
}
trap finish EXIT

await() { # await PATTERN: until the log has a line like that
  for _ in $(seq 600); do
    if grep -qE "$1" "$log"; then return; fi
    sleep 0.1
  done
  echo "nothing like '$1' within a minute" >&2
  cat "$log" >&2
  return 1
}

compose --profile test config --quiet
compose up --no-build --wait --wait-timeout 120
compose run -T --rm --entrypoint /s3io.test -e S3RESIZER_CONFORMANCE=1 test -test.run '^TestConformance'
compose run -T --rm test

echo "Killing the function in the middle of twenty uploads."
compose run -T --rm test -test.v -test.run '^TestTwentyUploads$' >"$log" 2>&1 &
suite=$!
await '^([3-9]|[1-5][0-9]) of 60 renditions'
compose kill resizer
echo "killed at: $(tail -n 1 "$log")"
sleep 3
if grep -q '^60 of 60' "$log"; then
  echo "all renditions were there before the function was killed: nothing was shown" >&2
  exit 1
fi
compose start resizer
wait "$suite" || { cat "$log" >&2; exit 1; }
tail -n 4 "$log"

if [ -n "$image" ]; then
  dead=$(compose exec -T s3 awslocal sqs receive-message --queue-url http://s3:4566/000000000000/uploads-dead --query 'Messages[].Body' --output text)
  [ "$dead" = None ] || dead="in the dead-letter queue: $dead"
else
  dead=$(compose logs --no-color lambda-local | grep 'an event has failed too often') || dead=None
fi
[ "$dead" = None ] || { echo "an event was given up: $dead" >&2; exit 1; }
