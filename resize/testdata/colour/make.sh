#!/bin/sh
# Makes every file in this directory anew. Needs Go, transicc, tiffcp and ImageMagick; on Debian:
#   apt-get install liblcms2-utils libtiff-tools imagemagick
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

go run ./gen.go ./profile.go "$work"
tiffcp -c lzw "$work/cmyk.tif" cmyk.tif
# ImageMagick writes CMYK as Adobe does: inverted, with an APP14 marker.
"${CONVERT:-/usr/bin/convert}" "$work/cmyk.tif" -quality 100 -sampling-factor 1x1 cmyk.jpg
