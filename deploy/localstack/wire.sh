#!/bin/sh
# Run by LocalStack when it is ready: the buckets, a queue of uploads, and the notification from one to the other.
set -eu
queue() { # queue NAME ATTRIBUTES: prints its ARN
  awslocal sqs get-queue-attributes --attribute-names QueueArn --query Attributes.QueueArn --output text \
    --queue-url "$(awslocal sqs create-queue --queue-name "$1" --attributes "$2" --query QueueUrl --output text)"
}
dead=$(queue uploads-dead '{"MessageRetentionPeriod":"1209600"}')
uploads=$(queue uploads "{\"RedrivePolicy\":\"{\\\"deadLetterTargetArn\\\":\\\"$dead\\\",\\\"maxReceiveCount\\\":\\\"5\\\"}\"}")

awslocal s3api create-bucket --bucket photos
awslocal s3api create-bucket --bucket photos-resized
awslocal s3api put-bucket-notification-configuration --bucket photos --notification-configuration \
  "{\"QueueConfigurations\":[{\"QueueArn\":\"$uploads\",\"Events\":[\"s3:ObjectCreated:*\",\"s3:ObjectRemoved:*\"]}]}"
