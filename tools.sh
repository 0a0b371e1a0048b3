#!/usr/bin/env bash
# Checks for the tools that a build needs, and for what else is named. What is missing is installed where that takes no
# question (root on Debian and its kin), else named in one line.
#   tools.sh pinned|system [djpeg|dwebp|avifdec|tiffcp|exiftool|heic|chromium|java|awscli|shellcheck|arm64]…
set -euo pipefail
libvips=${1:-pinned}

packages=()
need() { # need COMMAND PACKAGES
  command -v "$1" >/dev/null || packages+=("$2")
}
need gcc "gcc libc6-dev"
need pkg-config pkg-config
if [ "$libvips" = pinned ]; then
  need npm npm
elif ! pkg-config --atleast-version=8.14 vips 2>/dev/null; then
  packages+=(libvips-dev)
fi
links() { # whether a program can be linked with what pkg-config says
  # shellcheck disable=SC2046 # several flags
  echo 'int main(void) { return 0; }' | gcc -x c -o /dev/null - $(pkg-config --libs "$@" 2>/dev/null) >/dev/null 2>&1
}
if ! pkg-config --exists libjpeg zimg 2>/dev/null || ! links libjpeg zimg; then
  if [ "$(uname)" = Darwin ]; then packages+=("jpeg-turbo zimg"); else packages+=("g++ libjpeg-dev libzimg-dev"); fi
fi
for wanted in "${@:2}"; do
  case $wanted in
  djpeg) need djpeg libjpeg-turbo-progs ;;
  dwebp) need dwebp webp ;;
  avifdec) need avifdec "$([ "$(uname)" = Darwin ] && echo libavif || echo libavif-bin)" ;;
  tiffcp) need tiffcp "$([ "$(uname)" = Darwin ] && echo libtiff || echo libtiff-tools)" ;;
  exiftool) need exiftool "$([ "$(uname)" = Darwin ] && echo exiftool || echo libimage-exiftool-perl)" ;;
  heic) pkg-config --exists libheif libde265 2>/dev/null || packages+=("libheif-dev libde265-dev") ;;
  java) need javac default-jdk-headless && need mvn maven ;;
  chromium) need "${CHROMIUM:-chromium}" "chromium fonts-dejavu-core" ;;
  shellcheck) need shellcheck shellcheck ;;
  arm64) need qemu-aarch64-static qemu-user-static ;; # runs a program for arm64 here
  awscli)
    found=
    while read -r aws; do [[ $("$aws" --version 2>&1) != aws-cli/2.* ]] || found=$aws; done < <(type -ap aws)
    [ -n "$found" ] || packages+=(awscli)
    ;;
  *)
    echo "tools.sh knows no $wanted" >&2
    exit 2
    ;;
  esac
done
if [ ${#packages[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    installer="on Debian: sudo apt-get install"
    [ "$(uname)" != Darwin ] || installer="with Homebrew: brew install"
    echo "missing: install ${packages[*]} ($installer ${packages[*]})" >&2
    exit 1
  fi
  echo "installing ${packages[*]}" >&2
  exec {lock}>/tmp/s3resizer-apt.lock # two targets side by side may want something each
  flock "$lock"
  apt-get update -qq
  # shellcheck disable=SC2048,SC2086 # an entry may be several packages
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${packages[*]} >/dev/null
fi
if ! go version 2>/dev/null | grep -qE 'go(1\.(2[6-9]|[3-9][0-9])|[2-9])'; then
  echo "missing: install Go 1.26 or newer, https://go.dev/dl/ (there is: $(go version 2>/dev/null || echo none))" >&2
  exit 1
fi
