#!/usr/bin/env bash
# Unwires the source bucket, and deletes the stack. The buckets and all that is in them stay.
#   [STACK=s3resizer] CONFIRM=yes deploy/destroy.sh
set -euo pipefail
# shellcheck source=deploy/aws.sh
source "$(dirname "$0")/aws.sh"
check_tools go
look
[ -n "$status" ] || die "there is no stack $STACK in $region"
echo "the stack $STACK: $status" >&2
source_bucket=$(output SourceBucketName) destination=$(output DestinationBucketName) wiring=$(output Wiring)

# First, so that S3 is never told to call what is not there. EventBridge stays on: others may listen.
if [ -n "$wiring" ] && [ "$wiring" != --eventbridge ]; then
  # shellcheck disable=SC2086 # two arguments
  act s3wire remove "s3://$source_bucket" $wiring
elif [ -z "$wiring" ]; then
  echo "the stack has no outputs, so it was never finished: nothing is wired to it" >&2
fi
for queue in "${wiring#--queue }" "$(output DeadLettersArn)"; do
  [[ $queue != arn:*:sqs:* ]] || echo "uploads that wait in ${queue##*:}, and go with it: $(in_queue "$(queue_url "$queue")")" >&2
done
act aws cloudformation delete-stack --stack-name "$STACK"
act aws cloudformation wait stack-delete-complete --stack-name "$STACK"
if confirmed; then
  for bucket in $source_bucket $destination; do
    if bucket_here "$bucket"; then echo "s3://$bucket stays, with all that is in it" >&2; else gone=$bucket; fi
  done
  [ -z "${gone:-}" ] || die "s3://$gone is not there (any more)"
fi
unconfirmed destroy
