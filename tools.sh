#!/usr/bin/env bash
# Checks for the tools that a build needs. What is missing is installed where that is possible without asking (root on
# Debian and its kin), else named in one line.
set -euo pipefail
libvips=${1:-pinned}

packages=()
need() { # need COMMAND PACKAGE
  command -v "$1" >/dev/null || packages+=("$2")
}
need go golang
need gcc gcc
need pkg-config pkg-config
if [ "$libvips" = pinned ]; then
  need npm npm
elif ! pkg-config --atleast-version=8.14 vips 2>/dev/null; then
  packages+=(libvips-dev)
fi
[ ${#packages[@]} -gt 0 ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${packages[*]}" >&2
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" libc6-dev >/dev/null
else
  echo "missing: install ${packages[*]} (on Debian: sudo apt-get install ${packages[*]} libc6-dev)" >&2
  exit 1
fi
if ! go version | grep -qE 'go1\.(2[6-9]|[3-9][0-9])|go[2-9]'; then
  echo "$(go version) is too old: install Go 1.26 or newer, https://go.dev/dl/" >&2
  exit 1
fi
