#!/bin/sh
# Makes every picture in this directory anew. Needs Go and, on Debian:
#   apt-get install libjpeg-turbo-progs libtiff-tools webp libavif-bin
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go run ./sources.go "$work"

# libjpeg-turbo
jpeg() { # name, options, source
  cjpeg -quality 90 $2 "$work/${3:-card.ppm}" >"$1.jpg"
}
jpeg progressive -progressive
jpeg arithmetic -arithmetic
jpeg arithmetic-progressive "-arithmetic -progressive"
jpeg 444 "-sample 1x1"
jpeg 422 "-sample 2x1"
jpeg 440 "-sample 1x2"
jpeg 411 "-sample 4x1"
jpeg 410 "-sample 4x2"
jpeg restart "-restart 1"
jpeg restart-progressive "-restart 3B -progressive"
jpeg optimized -optimize
jpeg smooth-q30 "-quality 30 -smooth 20"
jpeg grey-progressive "-grayscale -progressive" grey.pgm

# libtiff
ppm2tiff -c none "$work/card.ppm" "$work/card.tif"
tiffcp -c lzw:2 "$work/card.tif" lzw.tif # the difference to the pixel before
tiffcp -8 -c zip:2 "$work/card.tif" big.tif
tiffcp -r 16 -c jpeg:r:90 "$work/card.tif" jpeg.tif
ppm2tiff -c none "$work/bilevel.pbm" "$work/bilevel.tif"
tiffcp -c g4 "$work/bilevel.tif" fax.tif
tiffcp -c packbits "$work/bilevel.tif" packbits.tif
for kind in g3:1d g3:2d g4; do
  tiffcp -r 40 -c $kind "$work/bilevel.tif" "fax-$(echo $kind | tr : -)-strips.tif"
  tiffcp -t -w 64 -l 64 -c $kind "$work/bilevel.tif" "fax-$(echo $kind | tr : -)-tiles.tif"
done

# libwebp
cwebp -quiet -q 90 "$work/card.png" -o lossy.webp
cwebp -quiet -lossless "$work/card.png" -o lossless.webp
cwebp -quiet -q 90 "$work/veil.png" -o lossy-alpha.webp
cwebp -quiet -lossless -exact "$work/veil.png" -o lossless-alpha.webp
cwebp -quiet -lossless "$work/dot.png" -o 1x1.webp
cwebp -quiet -q 90 "$work/swapped.png" -o "$work/swapped.webp"
webpmux -set icc "$work/profile.icc" "$work/swapped.webp" -o profile.webp 2>/dev/null
cwebp -quiet -q 90 "$work/turned.png" -o "$work/turned.webp"
webpmux -set exif "$work/turned.exif" "$work/turned.webp" -o turned.webp 2>/dev/null
for color in red blue; do
  cwebp -quiet -q 90 "$work/$color.png" -o "$work/$color.webp"
  cwebp -quiet -lossless "$work/$color.png" -o "$work/$color-lossless.webp"
done
# +duration+x+y+disposal; 0 keeps what was shown, 1 clears the frame's rectangle
webpmux -frame lossy.webp +70+0+0+0 -frame "$work/red.webp" +1500+20+20+1 -frame "$work/blue-lossless.webp" +30+90+60+0 -loop 3 -o animated.webp 2>/dev/null
webpmux -frame lossless.webp +100+0+0+0 -frame "$work/red-lossless.webp" +200+20+20+0 -loop 0 -o animated-lossless.webp 2>/dev/null

# libavif
avif() { # name, options, sources
  name=$1 options=$2
  shift 2
  avifenc $options --speed 6 --jobs 1 "$@" "$name.avif" >/dev/null
}
good="--min 8 --max 14"
avif 8-bit "$good --yuv 420 --depth 8" "$work/card.png"
avif 10-bit "$good --yuv 420 --depth 10" "$work/card.png"
avif 12-bit "$good --yuv 444 --depth 12" "$work/card.png"
avif 444 "$good --yuv 444 --depth 8" "$work/card.png"
avif alpha "$good --yuv 420 --depth 8 --minalpha 0 --maxalpha 10" "$work/veil.png"
avif 10-bit-alpha "$good --yuv 420 --depth 10 --minalpha 0 --maxalpha 10" "$work/veil.png"
avif grey "$good --yuv 400 --depth 8" "$work/grey.png"
avif turned "$good --yuv 420 --depth 8 --irot 3" "$work/turned.png" # quarter turns to the left
avif profile "$good --yuv 444 --depth 8 --icc $work/profile.icc" "$work/swapped.png"
avif p3 "$good --yuv 444 --depth 8 --cicp 12/13/6" "$work/card.png"
avif grid "$good --yuv 420 --depth 8 --grid 2x1" "$work/left.png" "$work/right.png"
avif sequence "$good --yuv 420 --depth 8 --timescale 10" "$work/card.png" "$work/negative.png"
avif grey-narrow "$good --yuv 400 --depth 8 --range limited" "$work/grey.png"
avif 10-bit-grey-narrow "$good --yuv 400 --depth 10 --range limited" "$work/grey.png"
avif grey-alpha-narrow "$good --yuv 400 --depth 8 --range limited --minalpha 0 --maxalpha 10" "$work/grey-veil.png"
avif grey-profile "$good --yuv 400 --depth 8 --icc $work/grey.icc" "$work/grey-dark.png"
avif pq "$good --yuv 444 --depth 10 --cicp 9/16/9" "$work/pq.png"
avif hlg "$good --yuv 444 --depth 10 --cicp 9/18/9" "$work/hlg.png"
for side in 2000 12000; do
  avif flat-$side "--yuv 420 --depth 8" "$work/flat-$side.png"
done
avif cropped "$good --yuv 444 --depth 8 --crop 20,30,200,100" "$work/card.png"
