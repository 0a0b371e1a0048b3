#!/usr/bin/env bash
# Builds the function's image for both architectures, puts it into this account's ECR, and prints each one's URI by its
# digest: what template.yaml wants as ImageUri.
#   [REPOSITORY=s3resizer] [VERSION=…] CONFIRM=yes deploy/push.sh
set -euo pipefail
# shellcheck source=deploy/aws.sh
source "$(dirname "$0")/aws.sh"
check_tools docker
version=${VERSION:-$(git -C "$root" describe --tags --always --dirty 2>/dev/null || echo dev)}

# What no tag names any more goes after a month; of the others the last fifty pushes stay.
lifecycle='{"rules":[
 {"rulePriority":1,"description":"untagged","selection":{"tagStatus":"untagged","countType":"sinceImagePushed","countUnit":"days","countNumber":30},"action":{"type":"expire"}},
 {"rulePriority":2,"description":"old","selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":50},"action":{"type":"expire"}}]}'
# Lambda fetches the image for functions of this account and region alone.
policy='{"Version":"2012-10-17","Statement":[{"Sid":"Lambda","Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},
 "Action":["ecr:BatchGetImage","ecr:GetDownloadUrlForLayer"],
 "Condition":{"StringEquals":{"aws:SourceAccount":"'$account'"},"ArnLike":{"aws:SourceArn":"arn:'$partition':lambda:'$region:$account':function:*"}}}]}'

if ! answer=$(aws ecr describe-repositories --repository-names "$REPOSITORY" 2>&1); then
  [[ $answer == *RepositoryNotFoundException* ]] || die "the repository $REPOSITORY can't be looked at: $answer"
  act aws ecr create-repository --repository-name "$REPOSITORY" --image-scanning-configuration scanOnPush=true
  act aws ecr put-lifecycle-policy --repository-name "$REPOSITORY" --lifecycle-policy-text "$lifecycle"
  act aws ecr set-repository-policy --repository-name "$REPOSITORY" --policy-text "$policy"
fi

if confirmed; then
  aws ecr get-login-password | "$DOCKER" login --username AWS --password-stdin "$registry" >&2
fi
# Lambda takes a manifest for one platform, not an index, which attestations would make of it.
export DOCKER_BUILDKIT=1 BUILDX_NO_DEFAULT_ATTESTATIONS=1
for platform in arm64 amd64; do
  tag=$version-$platform
  # shellcheck disable=SC2086 # DOCKER_FLAGS are several
  act "$DOCKER" build ${DOCKER_FLAGS:-} --platform "linux/$platform" --build-arg "VERSION=$version" \
    --build-arg "REVISION=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)" -t "$registry/$REPOSITORY:$tag" "$root"
  act "$DOCKER" push --quiet "$registry/$REPOSITORY:$tag"
  confirmed || continue
  read -r digest kind < <(aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=$tag" \
    --query 'imageDetails[0].[imageDigest,imageManifestMediaType]' --output text) || true
  [[ ${digest:-} == sha256:* ]] || die "ECR does not say which digest $REPOSITORY:$tag has"
  [[ $kind != *index* && $kind != *list* ]] || die "$REPOSITORY:$tag is an index of images ($kind), which Lambda refuses: build with BuildKit"
  echo "$registry/$REPOSITORY@$digest $platform"
done
unconfirmed push
