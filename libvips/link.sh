#!/bin/sh
# Run by `npm ci`: gives the package that fits this platform, and the library in it, the fixed names that vips.pc uses.
set -eu
cd "$(dirname "$0")/node_modules/@img"
for package in sharp-libvips-linux-* sharp-libvips-darwin-*; do
  [ -d "$package" ] && ln -sfn "$package" platform
done
# The headers come with those of all that is in the library, which would be found before the system's.
mkdir -p headers
for header in vips jpeglib.h jconfig.h jmorecfg.h; do
  ln -sfn "../sharp-libvips-dev/include/$header" "headers/$header"
done
cd platform/lib
for library in libvips-cpp.so.* libvips-cpp.[0-9]*.dylib; do
  case $library in
    *.dylib) link=libvips-cpp.dylib ;;
    *) link=libvips-cpp.so ;;
  esac
  if [ -f "$library" ]; then ln -sf "$library" "$link"; fi
done
