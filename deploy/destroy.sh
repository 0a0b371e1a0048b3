#!/usr/bin/env bash
# Unwires the source bucket, and deletes the stack. The buckets and all that is in them stay.
#   [STACK=s3resizer] CONFIRM=yes deploy/destroy.sh
set -euo pipefail
# shellcheck source=deploy/aws.sh
source "$(dirname "$0")/aws.sh"
check_tools go
aws cloudformation describe-stacks --stack-name "$STACK" --query 'Stacks[0].StackStatus' --output text >&2 || die "there is no stack $STACK in $region"
source_bucket=$(stack_output SourceBucketName) destination=$(stack_output DestinationBucketName) wiring=$(stack_output Wiring)

# First, so that S3 is never told to call what is not there. EventBridge stays on: others may listen.
if [ -n "$wiring" ] && [ "$wiring" != --eventbridge ]; then
  # shellcheck disable=SC2086 # two arguments
  act s3wire remove "s3://$source_bucket" $wiring
elif [ -z "$wiring" ]; then
  echo "the stack has no outputs, so it was never finished: nothing is wired to it" >&2
fi
act aws cloudformation delete-stack --stack-name "$STACK"
act aws cloudformation wait stack-delete-complete --stack-name "$STACK"
if confirmed; then
  echo "the buckets stay: s3://$source_bucket and s3://$destination, with its renditions; make deploy takes that one up again" >&2
fi
unconfirmed destroy
