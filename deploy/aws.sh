# For push.sh, deploy.sh and destroy.sh, which source it: what each of them checks before it touches anything, and how each
# acts. Without CONFIRM=yes a script reads, and prints what it would do.
# shellcheck shell=bash

# What was set, quoted for a shell and for make: the whole command, to be copied.
settings=
for name in AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_ENDPOINT_URL STACK REPOSITORY VERSION \
  SOURCE_BUCKET DESTINATION_BUCKET IMAGE_URI ARCHITECTURE PARAMETERS PROFILES DOCKER_FLAGS KEEP PATIENCE; do
  value=${!name:-}
  [ -z "$value" ] || settings+=" $name=$(printf %q "${value//\$/\$\$}")"
done
[ "${DOCKER:-docker}" = docker ] || settings+=" DOCKER=$(printf %q "$DOCKER")"

: "${STACK:=s3resizer}" "${REPOSITORY:=s3resizer}" "${DOCKER:=docker}" "${CONFIRM:=}"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() { # die LINE…
  printf '%s\n' "$@" >&2
  exit 1
}

# check_tools docker|go: the AWS CLI, and Docker or, if go is enough, one of the two; credentials that are good and a region.
# Sets account, partition, region and registry.
check_tools() {
  local missing=() or_go='' docker=yes caller
  if [ "$1" = go ]; then
    or_go="Go (https://go.dev/dl), or "
    ! command -v go >/dev/null || docker=
  fi
  command -v aws >/dev/null || missing+=("the AWS CLI, version 2 (https://aws.amazon.com/cli)")
  [ -z "$docker" ] || command -v "$DOCKER" >/dev/null || missing+=("${or_go}Docker (https://docs.docker.com/engine/install)")
  [ ${#missing[@]} = 0 ] || die "missing:" "${missing[@]/#/  }"
  [[ $(aws --version 2>&1) != aws-cli/1.* ]] || die "the AWS CLI is of version 1; want version 2 (https://aws.amazon.com/cli)"
  [ -z "$docker" ] || DOCKER=$DOCKER "$root/deploy/engine.sh" || exit 1
  export AWS_PAGER='' # nobody is there to turn its pages
  region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
  [ -n "$region" ] || die "no region: set AWS_REGION to that of the bucket, such as eu-central-1"
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  caller=$(aws sts get-caller-identity --query Arn --output text) ||
    die "no good credentials: see what \`aws sts get-caller-identity\` says; \`aws configure\`, \`aws sso login\` or AWS_PROFILE may help"
  # Such as arn:aws-us-gov:iam::123456789012:user/me. Only China's registries have another domain.
  IFS=: read -r _ partition _ _ account _ <<<"$caller"
  [[ $account =~ ^[0-9]{12}$ ]] || die "aws sts get-caller-identity says that the caller is '$caller', which is no ARN with an account"
  registry=$account.dkr.ecr.$region.amazonaws.com
  [ "$partition" != aws-cn ] || registry+=.cn
  echo "account $account, region $region${AWS_PROFILE:+, profile $AWS_PROFILE}" >&2
}

confirmed() { [ "$CONFIRM" = yes ]; }

# act COMMAND…: runs it, or prints it. What it prints itself goes to standard error: a script's output is its result.
act() {
  local mark='would run:'
  ! confirmed || mark=+
  echo "$mark$(printf ' %q' "$@")" >&2
  ! confirmed || "$@" >&2
}

# unconfirmed TARGET: how to have make's target do it.
unconfirmed() {
  confirmed || echo "nothing was changed; this does it: make $1$settings CONFIRM=yes" >&2
}

# look: sets status, such as UPDATE_COMPLETE, or nothing where there is no stack; and what output takes from.
# shellcheck disable=SC2016,SC2034 # the backticks are JMESPath's; who sources this has status
look() {
  seen=$(aws cloudformation describe-stacks --stack-name "$STACK" --output text \
    --query 'Stacks[0].[[[StackStatus]], not_null(Outputs, `[]`)[].[OutputKey, OutputValue]][]' 2>/dev/null) || seen=
  status=${seen%%$'\n'*}
}

# output KEY: an output that the stack had when it was looked at, or nothing.
output() {
  local key value
  while IFS=$'\t' read -r key value; do
    [ "$key" != "$1" ] || echo "$value"
  done <<<"$seen"
}

# queue_url ARN: where the queue is asked.
queue_url() { aws sqs get-queue-url --queue-name "${1##*:}" --query QueueUrl --output text; }

# in_queue URL: how many messages are in it, taken ones among them.
in_queue() {
  aws sqs get-queue-attributes --queue-url "$1" --attribute-names ApproximateNumberOfMessages ApproximateNumberOfMessagesNotVisible \
    --query 'sum(values(Attributes)[].to_number(@))' --output text | cut -d . -f 1
}

# bucket_here BUCKET: whether it is there, and ours. Fails if it is another account's.
bucket_here() {
  local answer
  if answer=$(aws s3api head-bucket --bucket "$1" --expected-bucket-owner "$account" 2>&1); then
    return 0
  fi
  case $answer in
  *404* | *'Not Found'*) return 1 ;;
  *) die "the bucket $1 can't be looked at: $answer" "it is in another region, another account's, or the caller lacks s3:ListBucket on it" ;;
  esac
}

# must_be_here BUCKET WHY: fails if it is in another region.
must_be_here() {
  local where
  where=$(aws s3api get-bucket-location --bucket "$1" --query LocationConstraint --output text)
  case $where in None | null) where=us-east-1 ;; EU) where=eu-west-1 ;; esac
  [ "$where" = "$region" ] || die "$1 is in $where, not in $region: ${2//WHERE/$where}"
}

# s3wire ARGS…: built here if there is Go, else run in its image.
s3wire() {
  if command -v go >/dev/null; then
    (cd "$root" && CGO_ENABLED=0 go build -trimpath -o bin/s3wire ./cmd/s3wire) && "$root/bin/s3wire" "$@"
    return
  fi
  # shellcheck disable=SC2086 # DOCKER_FLAGS are several
  DOCKER_BUILDKIT=1 "$DOCKER" build ${DOCKER_FLAGS:-} --quiet --target cli -t s3wire "$root" >&2 || return
  # Wherever the credentials come from, the container gets them as they are now.
  local credentials
  credentials=$(aws configure export-credentials --format env) || return
  (
    eval "$credentials"
    "$DOCKER" run --rm -e AWS_ACCESS_KEY_ID -e AWS_SECRET_ACCESS_KEY -e AWS_SESSION_TOKEN -e AWS_REGION s3wire "$@"
  )
}
