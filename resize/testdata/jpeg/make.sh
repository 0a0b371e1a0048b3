#!/bin/sh
# Makes every JPEG in this directory anew: one picture in the codings that T.81 has. Needs Go, with `make env`, and
# libjpeg-turbo's tools; on Debian:
#   apt-get install libjpeg-turbo-progs
set -eu
cd "$(dirname "$0")"
ppm=$(mktemp)
scans=$(mktemp)
trap 'rm -f "$ppm" "$scans"' EXIT
go run ./gen.go >"$ppm"

make() { # make NAME CJPEG-OPTIONS…
  name=$1
  shift
  cjpeg -quality 85 "$@" -outfile "$name.jpg" "$ppm"
}
make baseline
make optimized-444 -optimize -sample 1x1
make sampled-411 -sample 4x1
make sampled-oddly -sample 1x2,2x1,1x1
make grey -grayscale
make restart-rows -restart 1
make restart-3 -restart 3B
make restart-1 -sample 1x1 -restart 1B
make progressive -progressive
make progressive-restart -progressive -restart 1
make progressive-grey -progressive -grayscale
make arithmetic -arithmetic
echo '0; 1; 2;' >"$scans"
make scan-by-scan -restart 2 -scans "$scans"
echo '0,1,2: 0-0, 0, 0; 0: 1-9, 0, 0; 0: 10-63, 0, 0; 1: 1-63, 0, 0; 2: 1-63, 0, 0;' >"$scans"
make bands -scans "$scans"
echo '0: 0-0, 0, 2; 1,2: 0-0, 0, 1; 0: 1-63, 0, 3; 2: 1-63, 0, 1; 1: 1-63, 0, 1; 0: 1-63, 3, 2; 0: 1-63, 2, 1; 0: 1-63, 1, 0; 0: 0-0, 2, 1; 0: 0-0, 1, 0; 1,2: 0-0, 1, 0; 1: 1-63, 1, 0; 2: 1-63, 1, 0;' >"$scans"
make bits -scans "$scans"
