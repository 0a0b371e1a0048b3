#!/usr/bin/env bash
# Prints the Dockerfile's base images as they are in their registries now, each by its digest, as arguments of a build:
#   make image DOCKER_FLAGS="$(deploy/base-images.sh)"
# Kept, they make the same image of the same sources again.
set -euo pipefail
bases=$(sed -n 's/^ARG \([A-Z]*_IMAGE\)=/\1 /p' "$(dirname "$0")/../Dockerfile")
while read -r name image; do
  digest=$("${DOCKER:-docker}" buildx imagetools inspect "$image" --format '{{.Manifest.Digest}}')
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "the digest of $image is said to be '$digest'" >&2; exit 1; }
  arguments+=("--build-arg=$name=$image@$digest")
done <<<"$bases"
echo "${arguments[*]}"
