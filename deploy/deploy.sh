#!/usr/bin/env bash
# Makes or updates the stack, wires the source bucket to it, and puts a picture through it.
#   SOURCE_BUCKET=… [DESTINATION_BUCKET=…] [IMAGE_URI=…] [PARAMETERS='Trigger=sqs Quality=75'] CONFIRM=yes deploy/deploy.sh
# PARAMETERS are words, quoted as in a shell where they have spaces: PARAMETERS="Quality=75 CacheControl='public, max-age=60'".
# Settings by prefix, RESIZE_PROFILES, are read from the file that PROFILES names, or from profiles.json if that is there.
# STACK names the stack, ARCHITECTURE is arm64 or x86_64, KEEP=yes leaves what the test has made, and PATIENCE is how many
# seconds it waits for the record.
set -euo pipefail
# shellcheck source=deploy/aws.sh
source "$(dirname "$0")/aws.sh"
[ -n "${SOURCE_BUCKET:-}" ] || die "which bucket? SOURCE_BUCKET=your-uploads-bucket"
destination=${DESTINATION_BUCKET:-$SOURCE_BUCKET-resized}
case ${ARCHITECTURE:=arm64} in
arm64) platform=arm64 ;;
x86_64) platform=amd64 ;;
*) die "ARCHITECTURE=$ARCHITECTURE: want arm64 or x86_64, as Lambda calls them" ;;
esac
check_tools go

look
case $status in
ROLLBACK_COMPLETE)
  echo "the stack $STACK was never finished: its first deployment failed and was rolled back ($status). All that CloudFormation" \
    "can do is delete it, so it is deleted, and made anew; a destination bucket that it made stays, and is taken" >&2 ;;
REVIEW_IN_PROGRESS) ;; # a change set was made and never executed
*_IN_PROGRESS) die "the stack $STACK is at it ($status): wait until it is done" ;;
UPDATE_ROLLBACK_FAILED) die "the stack $STACK is stuck ($status): mend what its events say, then aws cloudformation continue-update-rollback --stack-name $STACK" ;;
CREATE_FAILED | ROLLBACK_FAILED | DELETE_FAILED) die "the stack $STACK can only be deleted ($status): make destroy STACK=$STACK first; its events say what is in the way" ;;
esac
served=$(output SourceBucketName)
[ "${served:-$SOURCE_BUCKET}" = "$SOURCE_BUCKET" ] || die "the stack $STACK is for $served: name another one, STACK=…, or make destroy first"
bucket_here "$SOURCE_BUCKET" || die "there is no bucket $SOURCE_BUCKET in account $account"
must_be_here "$SOURCE_BUCKET" 'set AWS_REGION=WHERE, and push the image there'

if [ -z "${IMAGE_URI:-}" ]; then
  version=${VERSION:-$(git -C "$root" describe --tags --always --dirty 2>/dev/null || echo dev)}
  digest=$(aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=$version-$platform" \
    --query 'imageDetails[0].imageDigest' --output text 2>/dev/null) || digest=
  IMAGE_URI=$registry/$REPOSITORY@$digest
  if [ -z "$digest" ]; then
    no_image="there is no image $REPOSITORY:$version-$platform in this region's ECR: make push first, or IMAGE_URI=…"
    ! confirmed || die "$no_image"
    echo "$no_image" >&2
    IMAGE_URI=$registry/$REPOSITORY:$version-$platform
  fi
fi

# A bucket that this stack did not make, be it one that an earlier one left behind, is taken as it is.
owned=$(aws cloudformation describe-stack-resource --stack-name "$STACK" --logical-resource-id Destination \
  --query StackResourceDetail.PhysicalResourceId --output text 2>/dev/null || true)
[ "$status" != ROLLBACK_COMPLETE ] || owned= # what is left of its bucket is nobody's
is=new
if [ "$owned" != "$destination" ] && bucket_here "$destination"; then
  is=existing
  must_be_here "$destination" 'the function and its events stay within one region: take a DESTINATION_BUCKET in that'
fi

# check_concurrency WANTED: whether that much of the account's quota can be reserved. Lambda keeps 100 for functions without
# a reservation, so a new account, with a quota of 10, has none to give.
# https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionConcurrency.html
check_concurrency() {
  local quota='' unreserved='' own name room
  [[ $1 =~ ^[0-9]+$ && $1 -gt 0 ]] || return 0
  read -r quota unreserved < <(aws lambda get-account-settings \
    --query 'AccountLimit.[ConcurrentExecutions,UnreservedConcurrentExecutions]' --output text) || true
  if [ -z "$unreserved" ]; then
    echo "whether the account's quota has room for ReservedConcurrency=$1 can't be looked up: allow lambda:GetAccountSettings" >&2
    return
  fi
  own=None name=$(output FunctionName)
  [ -z "$name" ] || own=$(aws lambda get-function-concurrency --function-name "$name" --query ReservedConcurrentExecutions --output text) || own=None
  [ "$own" != None ] || own=0
  room=$((unreserved + own - 100))
  ((room > 0)) || room=0
  [ "$1" -le $room ] || die "ReservedConcurrency=$1 can't be had, at most $room: of the account's $quota concurrent executions in $region," \
    "$((unreserved + own)) are not reserved for other functions, and Lambda keeps 100 of them. Leave it out, or have the quota raised (Service Quotas, AWS Lambda, Concurrent executions)"
}

# The first of two values for a parameter would be dropped without a word.
parameters=("SourceBucket=$SOURCE_BUCKET" "DestinationBucket=$destination" "DestinationBucketIs=$is" "ImageUri=$IMAGE_URI" "Architecture=$ARCHITECTURE")
# What an update does not name stays as it was.
wired=$(output Wiring) prefix_wired=$(output SourcePrefixUsed)
prefix=$prefix_wired trigger=direct
case $wired in --queue*) trigger=sqs ;; --eventbridge) trigger=eventbridge ;; esac
trigger_wired=$trigger
deletions=$(output WiringOfDeletions)
deletions_wired=$deletions
cloudfront='' profiles='' template=$(output KeyTemplateUsed)
# xargs reads quotes as a shell does, and runs nothing of it.
words=$(xargs printf '%s\n' <<<"${PARAMETERS:-}") || die "PARAMETERS has a quote without its other one: $PARAMETERS"
while IFS= read -r given; do
  case $given in
  '') ;;
  SourceBucket=* | DestinationBucket=* | DestinationBucketIs=* | ImageUri=* | Architecture=*)
    die "${given%%=*} is not for PARAMETERS: see SOURCE_BUCKET, DESTINATION_BUCKET, IMAGE_URI and ARCHITECTURE" ;;
  SourcePrefix=*) prefix=${given#*=} ;;
  Trigger=*) trigger=${given#*=} ;;
  DeleteRenditions=yes) deletions=--delete ;;
  DeleteRenditions=no) deletions= ;;
  KeyTemplate=*) template=${given#*=} ;;
  Profiles=?*) die "Profiles is for the file: see PROFILES. PARAMETERS has only Profiles= for it, which takes them away" ;;
  Profiles=) profiles=none ;;
  CloudFront=*) cloudfront=${given#*=} ;;
  ReservedConcurrency=*) check_concurrency "${given#*=}" ;;
  [A-Z]*=*) ;;
  *) die "PARAMETERS has '$given'; want Name=value, several with spaces between them, and quotes around spaces within: CacheControl='public, max-age=60'" ;;
  esac
  [ -z "$given" ] || parameters+=("$given")
done <<<"$words"

# Otherwise each rendition would be an upload again, which the function would find out, at the price of an invocation.
if [ "$destination" = "$SOURCE_BUCKET" ]; then
  folder=${template%%\{*}
  folder=${folder%"${folder##*/}"}
  [[ -n $prefix && -n $folder ]] || die "source and destination are one bucket, $SOURCE_BUCKET: give the uploads and the renditions a folder each," \
    "PARAMETERS='SourcePrefix=uploads/ KeyTemplate=resized/{size}/{key}'"
  for written in "$folder" .s3resizer/ .s3resizer-slow/; do
    [[ $written != "$prefix"* && $prefix != "$written"* ]] || die "SourcePrefix=$prefix: the function writes into $written of the same bucket, and would be told of it"
  done
fi

if [[ -n $cloudfront && $cloudfront != no && $is = existing && -z $(output DistributionUrl) ]] &&
  aws s3api get-bucket-policy --bucket "$destination" >/dev/null 2>&1; then
  die "$destination has a policy of its own, which the stack's would replace: take CloudFront=$cloudfront away, and let CloudFront in by that policy"
fi

# value_of PARAMETER: what the stack will have for it, if it is not the template's default.
value_of() {
  local key value given
  for given in "${parameters[@]}"; do
    [[ $given != "$1="* ]] || { echo "${given#*=}" && return; }
  done
  while IFS=$'\t' read -r key value; do
    [ "$key" != "$1" ] || echo "$value"
  done <<<"$kept"
}

# packed: RESIZE_PROFILES on one line, if the function accepts it with all the settings that it inherits. The function is
# built here if there is Go, else it is its image.
packed() {
  local kept variable parameter variables=("RESIZE_BUCKET_OWNER=$account" RESIZE_DELETE=off)
  kept=$(aws cloudformation describe-stacks --stack-name "$STACK" --output text \
    --query 'Stacks[0].Parameters[].[ParameterKey, ParameterValue]' 2>/dev/null) || kept=
  [ "$status" != ROLLBACK_COMPLETE ] || kept= # it is made anew
  while read -r variable parameter; do
    [ "$parameter" = Profiles ] || variables+=("$variable=$(value_of "$parameter")")
  done < <(sed -n 's/^ *\(RESIZE_[A-Z_]*\): !Ref \([A-Za-z]*\)$/\1 \2/p' "$root/deploy/template.yaml")
  [ "$destination" != "$SOURCE_BUCKET" ] || variables+=('RESIZE_DEST_BUCKET={bucket}') # by which it sees that it is one bucket
  variables+=("RESIZE_PROFILES=$(cat "$1")") || return
  if command -v go >/dev/null; then
    make -s -C "$root" bin/lambda >&2 && env -i "${variables[@]}" "$root/bin/lambda" --profiles
    return
  fi
  # shellcheck disable=SC2086 # DOCKER_FLAGS are several
  DOCKER_BUILDKIT=1 "$DOCKER" build ${DOCKER_FLAGS:-} --quiet -t s3resizer-settings "$root" >&2 || return
  "$DOCKER" run --rm "${variables[@]/#/--env=}" s3resizer-settings --profiles
}

file=${PROFILES:-$root/profiles.json}
if [ -e "$file" ]; then
  [ -z "$profiles" ] || die "PARAMETERS takes the profiles away, and $file has some: move it away, or leave Profiles= out"
  profiles=$(packed "$file") || die "the profiles in $file are not accepted, for the reason above; nothing was changed"
  parameters+=("Profiles=$profiles")
elif [ -n "${PROFILES:-}" ]; then
  die "there is no file $PROFILES, as PROFILES has it"
fi

# unwire takes the old entry away: S3 refuses two for the same keys. What waits in an old queue would go with it.
unwire() {
  local empty=0 waited url
  [ "$wired" != --eventbridge ] || return 0
  # shellcheck disable=SC2086 # two arguments
  act s3wire remove "s3://$SOURCE_BUCKET" $wired
  if [ "$trigger" = sqs ] || [[ $wired != --queue* ]] || ! confirmed; then return; fi
  url=$(queue_url "${wired#--queue }") || failed "the queue of the stack $STACK can't be looked at: mend what is said above, and give the same command again"
  echo "waiting up to ${PATIENCE:-600} s until the queue is empty, since it goes" >&2
  for ((waited = 0; empty < 5; waited += 2)); do # its numbers are approximate: five times is enough
    if [ "$(in_queue "$url")" = 0 ]; then empty=$((empty + 1)); else empty=0; fi
    ((waited < ${PATIENCE:-600})) || failed "there are still uploads in the queue: deploy again when the function has done them"
    sleep "${PAUSE:-2}"
  done
}

# failed LINE…: says what to do, with the bucket wired as it was.
failed() {
  # shellcheck disable=SC2086 # two arguments, or three
  [ -z "$rewired" ] || [ "$wired" = --eventbridge ] || act s3wire add "s3://$SOURCE_BUCKET${prefix_wired:+/$prefix_wired}" $wired $deletions_wired || true
  die "$@"
}

rewired=
if [ -n "$wired" ] && { [ "$trigger" != "$trigger_wired" ] || { [ "$prefix" != "$prefix_wired" ] && [ "$trigger" != eventbridge ]; }; }; then
  rewired=yes
  echo "from here until it is wired again, uploads to $SOURCE_BUCKET raise no event" >&2
  unwire
fi
if [ "$status" = ROLLBACK_COMPLETE ]; then
  act aws cloudformation delete-stack --stack-name "$STACK"
  act aws cloudformation wait stack-delete-complete --stack-name "$STACK"
fi
act aws cloudformation deploy --stack-name "$STACK" --template-file "$root/deploy/template.yaml" --capabilities CAPABILITY_IAM \
  --no-fail-on-empty-changeset --parameter-overrides "${parameters[@]}" || {
  look
  aws cloudformation describe-stack-events --stack-name "$STACK" --output text \
    --query "StackEvents[?ends_with(ResourceStatus, '_FAILED')].[LogicalResourceId, ResourceStatusReason] | [:8]" >&2 || true
  failed "the stack $STACK was not deployed ($status): mend what is said above, and give the same command again"
}

place=s3://$SOURCE_BUCKET
[ "$trigger" = eventbridge ] || place+=${prefix:+/$prefix} # an EventBridge rule has its own filter
if confirmed; then
  look
  wiring=$(output Wiring) deletions=$(output WiringOfDeletions)
  [ -n "$wiring" ] || die "the stack $STACK has no output Wiring: see its events in CloudFormation"
else
  case $trigger in
  sqs) wiring='--queue the-queue-of-the-stack' ;;
  eventbridge) wiring=--eventbridge deletions= ;; # which tells of everything; the rule chooses
  *) wiring='--function the-function-of-the-stack' ;;
  esac
fi
# shellcheck disable=SC2086 # two arguments, or three
act s3wire add "$place" $wiring $deletions
# A bucket of our own has it from the template.
[ "$is" = new ] || act s3wire add "s3://$destination" --eventbridge
if ! confirmed; then
  unconfirmed deploy
  exit 0
fi

statement=$(output KeyPolicyStatement)
[ -z "$statement" ] || printf '%s\n' "the policy of the destination's KMS key has to have this statement, or CloudFront shows nothing:" "  $statement" >&2

key=${prefix}s3resizer-smoke-test/$(date -u +%Y%m%dT%H%M%SZ)-$$.jpg
record=.s3resizer/$key.json
made=()
clean() {
  [ "${KEEP:-}" != yes ] || return 0
  aws s3 rm --quiet "s3://$SOURCE_BUCKET/$key" || true
  for object in "$record" ${made[@]+"${made[@]}"}; do
    aws s3 rm --quiet "s3://$destination/$object" || true
  done
}
trap clean EXIT
# EventBridge hears of a bucket's uploads about five minutes after it was switched on, and never of those before.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html
patience=${PATIENCE:-120} teller="S3 invokes the function"
case $trigger in
sqs) teller="S3 sends to the queue, from which Lambda takes it" ;;
eventbridge)
  patience=${PATIENCE:-600}
  teller="EventBridge begins to hear of a bucket about five minutes after it was switched on, so the picture is uploaded each minute again" ;;
esac
echo "uploading s3://$SOURCE_BUCKET/$key, and waiting up to $patience s for s3://$destination/$record: $teller" >&2
report=
for ((waited = 0; waited < patience; waited += 2)); do
  if ((waited == 0)) || [[ $trigger = eventbridge && $((waited % 60)) = 0 ]]; then
    aws s3 cp --quiet "$root/docs/demo.jpg" "s3://$SOURCE_BUCKET/$key" --content-type image/jpeg
  fi
  if report=$(aws s3 cp --quiet "s3://$destination/$record" - 2>/dev/null); then break; fi
  report=
  sleep "${PAUSE:-2}"
done
[ -n "$report" ] || die "no s3://$destination/$record after $patience s; the function's log: aws logs tail $(output LogGroupName) --since 15m"
[[ $report == *'"status":"resized"'* ]] || die "the picture was not resized: $report"
# The key of each rendition; ours needs no unquoting.
while read -r object; do made+=("$object"); done < <(grep -o '"key":"[^"]*"' <<<"${report#*\"renditions\"}" | cut -d '"' -f 4)
echo "$report"
distribution=$(output DistributionUrl)
for object in "${made[@]}"; do
  if [ -n "$distribution" ]; then echo "$distribution/$object"; else aws s3 presign "s3://$destination/$object" --expires-in 3600; fi
done
if [ -t 0 ] && [ "${KEEP:-}" != yes ]; then read -r -p "Enter takes the test's pictures away again (KEEP=yes leaves them) " || true; fi
echo "done: uploads to s3://$SOURCE_BUCKET/$prefix become renditions in s3://$destination; $(output DashboardUrl)" >&2
