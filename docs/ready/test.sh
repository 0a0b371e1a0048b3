#!/usr/bin/env bash
# Compiles the Spring controller and drives it by its tests, with Debian's Spring; and runs the tests of the browser's part.
set -euo pipefail
cd "$(dirname "$0")"
packages=(default-jdk-headless junit4 libjackson2-databind-java libservlet-api-java libspring-test-java libspring-web-servlet-java)
# The jars of Spring 4.3 have a 3 in their names there.
jars=(commons-logging hamcrest-core jackson-annotations jackson-core jackson-databind junit4 servlet-api
  'spring*-aop' 'spring*-beans' 'spring*-context' 'spring*-core' 'spring*-expression' 'spring*-test' 'spring*-web' 'spring*-web.servlet')

# find_jars sets path to that of all the classes, or fails.
find_jars() {
  path=
  for jar in "${jars[@]}"; do
    for found in /usr/share/java/$jar.jar; do # a pattern
      [ -e "$found" ] || return 1
      path+=$found:
    done
  done
}
if ! command -v javac >/dev/null || ! find_jars; then
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "missing: a JDK from 17 on, and Spring (on Debian: sudo apt-get install ${packages[*]})" >&2
    exit 1
  fi
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
  find_jars
fi

classes=$(mktemp -d)
trap 'rm -rf "$classes"' EXIT
javac --release 17 -parameters -Xlint:all,-classfile,-path,-processing -Werror -encoding UTF-8 -cp "$path" -d "$classes" PictureReadyController.java spring/*.java
java -Dorg.apache.commons.logging.Log=org.apache.commons.logging.impl.NoOpLog -Dtestdata=testdata -cp "$path$classes" org.junit.runner.JUnitCore PictureReadyControllerTest
node --test --test-reporter=spec picture.test.mjs
