# For push.sh, deploy.sh and destroy.sh, which source it: what each of them checks before it touches anything, and how each
# acts. Without CONFIRM=yes a script reads, and prints what it would do.
# shellcheck shell=bash

: "${STACK:=s3resizer}" "${REPOSITORY:=s3resizer}" "${DOCKER:=docker}" "${CONFIRM:=}"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

die() { # die LINE…
  printf '%s\n' "$@" >&2
  exit 1
}

# check_tools: docker and the AWS CLI, credentials that are good and a region. Sets account and region.
check_tools() {
  local missing=()
  command -v aws >/dev/null || missing+=("the AWS CLI, version 2 (https://aws.amazon.com/cli)")
  command -v "$DOCKER" >/dev/null || missing+=("Docker (https://docs.docker.com/engine/install)")
  [ ${#missing[@]} = 0 ] || die "missing:" "${missing[@]/#/  }"
  [[ $(aws --version 2>&1) != aws-cli/1.* ]] || die "the AWS CLI is of version 1; want version 2 (https://aws.amazon.com/cli)"
  "$DOCKER" info >/dev/null 2>&1 || die "Docker's engine does not answer: see what \`$DOCKER info\` says"
  export AWS_PAGER='' # nobody is there to turn its pages
  region=${AWS_REGION:-${AWS_DEFAULT_REGION:-$(aws configure get region || true)}}
  [ -n "$region" ] || die "no region: set AWS_REGION to that of the bucket, such as eu-central-1"
  export AWS_REGION=$region AWS_DEFAULT_REGION=$region
  account=$(aws sts get-caller-identity --query Account --output text) ||
    die "no good credentials: see what \`aws sts get-caller-identity\` says; \`aws configure\`, \`aws sso login\` or AWS_PROFILE may help"
  [[ $account =~ ^[0-9]{12}$ ]] || die "aws sts get-caller-identity says that the account is '$account'"
  echo "account $account, region $region${AWS_PROFILE:+, profile $AWS_PROFILE}" >&2
}

confirmed() { [ "$CONFIRM" = yes ]; }

# act COMMAND…: runs it, or prints it. What it prints itself goes to standard error: a script's output is its result.
act() {
  if confirmed; then
    echo "+ $*" >&2
    "$@" >&2
  else
    printf 'would run:' >&2
    printf ' %q' "$@" >&2
    echo >&2
  fi
}

unconfirmed() {
  confirmed || echo "nothing was changed; $1 CONFIRM=yes does it" >&2
}

# stack_output KEY: an output of the stack, or nothing.
stack_output() {
  local value
  value=$(aws cloudformation describe-stacks --stack-name "$STACK" --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text 2>/dev/null) || return 0
  [ "$value" = None ] || echo "$value"
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
