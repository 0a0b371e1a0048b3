#!/bin/sh
# Makes every file in this directory anew. Needs Go and Debian 13's heif-enc:
#   apt-get install libheif-examples libheif-plugin-x265
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go run ./gen.go "$work"

encode() { # encode INPUT OUTPUT OPTION...
  input=$1 output=$2
  shift 2
  heif-enc -q 95 -p chroma=444 -p preset=veryslow "$@" -o "$output" "$input" >/dev/null
}
encode ../colour/p3.png icc.heic
encode "$work/bare.png" nclx.heic --colour_primaries 12 --transfer_characteristic 13
encode "$work/bare.png" srgb.heic
encode "$work/deep.png" deep.heic -b 10 --colour_primaries 12 --transfer_characteristic 13
encode "$work/deep.png" bt2020.heic -b 10 --colour_primaries 9 --transfer_characteristic 14 --matrix_coefficients 9
encode "$work/nits.png" pq.heic -b 10 --colour_primaries 9 --transfer_characteristic 16 --matrix_coefficients 9
encode "$work/veiled.png" alpha.heic
encode "$work/weighted.png" weighted.heic --premultiplied-alpha
encode "$work/lying.jpg" turned.heic
encode "$work/large.png" large.heic -p chroma=420
encode "$work/odd.png" odd.heic -p chroma=420
encode "$work/tile-0-0.png" grid.heic --tiled-input --tiled-image-width 192 --tiled-image-height 192 -p chroma=420 --colour_primaries 12 --transfer_characteristic 13
