#!/usr/bin/env bash
# run_consumers.sh SOURCE BUILD CXX: installs faultline into empty folders, once from the static build at hand and once shared, and
# builds a program outside the tree against each; then the same program with add_subdirectory, with FetchContent and a shared library,
# and with pkg-config. Each must write its dump. Another program uses each optional component that the build at hand has.
set -eu
source=$1 build=$2 compiler=$3
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export CXX=$compiler

# Errors in the program for what the headers do not heed.
warnings='-Wall;-Wextra;-Wpedantic;-Wshadow;-Wconversion;-Wold-style-cast;-Weffc++;-Wpadded;-Werror'

quietly() { "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }; }
check() { # check NAME PROGRAM
  local output
  output=$("$2" 2>&1)
  if [[ $output != *'held 1'* || $output != *'written 2'* || $output != *'scope=installed'* ]]; then
    printf '%s wrote:\n%s\n' "$1" "$output"
    exit 1
  fi
  echo "$1: good"
}
check_components() { # check_components NAME PROGRAM
  local output
  output=$("$2" 2>&1)
  if [[ $output != "components:$(printf ' %s' $components)" ]]; then
    printf '%s, with the components %s, wrote:\n%s\n' "$1" "$components" "$output"
    exit 1
  fi
  echo "$1: good with $components"
}

quietly cmake --install "$build" --prefix "$folder/prefix-static"
components=
for component in syslog journald settings smtp spdlog glog; do
  found=$(find "$folder/prefix-static" -name "faultline-$component.cmake")
  [ -z "$found" ] || components+=${components:+ }$component
done
quietly cmake -G Ninja -S "$source" -B "$folder/library" -DBUILD_SHARED_LIBS=ON -DFAULTLINE_BUILD_TESTS=OFF \
  -DFAULTLINE_BUILD_EXAMPLES=OFF -DCMAKE_INSTALL_PREFIX="$folder/prefix-shared" -DCMAKE_INSTALL_LIBDIR="$folder/prefix-shared/lib"
quietly cmake --build "$folder/library" --target install
for kind in static shared; do
  quietly cmake -G Ninja -S "$here/consumer" -B "$folder/$kind" -DCMAKE_PREFIX_PATH="$folder/prefix-$kind" \
    -DCOMPONENTS="${components// /;}"
  quietly cmake --build "$folder/$kind"
  check "find_package, $kind" "$folder/$kind/consumer"
  check_components "find_package, $kind" "$folder/$kind/components"
done
without() { cmake -G Ninja -S "$here/consumer" -B "$folder/without" -DCMAKE_PREFIX_PATH="$folder/prefix-static" "$@"; }
if without -DCOMPONENTS=nothing >"$folder/log" 2>&1; then
  echo "find_package found a component that is not there"
  exit 1
fi
if [[ " $components " == *' smtp '* ]]; then # it needs libcurl
  if without -DCOMPONENTS=smtp -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON >"$folder/log" 2>&1 ||
    ! grep -q 'dependency CURL' "$folder/log"; then
    cat "$folder/log"
    exit 1
  fi
  quietly without -DCOMPONENTS= -DOPTIONAL=smtp -DCMAKE_DISABLE_FIND_PACKAGE_CURL=ON
fi

# shellcheck disable=SC2086  # flags are words
if "$compiler" -std=c++20 -fsyntax-only ${warnings//;/ } -I"$source/include" "$here/consumer/main.cpp" >"$folder/log" 2>&1; then
  echo 'the headers give none of the warnings that system headers may give'
  exit 1
fi
quietly cmake -G Ninja -S "$here/consumer" -B "$folder/subdirectory" -DFAULTLINE_SOURCE="$source" \
  -DCOMPONENTS="${components// /;}" -DWARNINGS="$warnings"
quietly cmake --build "$folder/subdirectory"
check add_subdirectory "$folder/subdirectory/consumer"
check_components add_subdirectory "$folder/subdirectory/components"
if [ -d "$folder/subdirectory/faultline/tests" ]; then
  echo "add_subdirectory built the tests of faultline, too"
  exit 1
fi

tar -C "$source" -czf "$folder/faultline.tar.gz" --transform 's,^,faultline-archive/,' CMakeLists.txt cmake docs include src LICENSE
quietly cmake -G Ninja -S "$here/consumer" -B "$folder/fetched" -DFAULTLINE_ARCHIVE="$folder/faultline.tar.gz" -DBUILD_SHARED_LIBS=ON \
  -DWARNINGS="$warnings"
quietly cmake --build "$folder/fetched"
check FetchContent "$folder/fetched/consumer"

for kind in static shared; do # the shared one has an absolute folder for its libraries
  export PKG_CONFIG_PATH=$(dirname "$(find "$folder/prefix-$kind" -name faultline.pc)")
  # shellcheck disable=SC2046  # flags are words
  quietly "$compiler" -std=c++20 "$here/consumer/main.cpp" -o "$folder/by-pkg-config" $(pkg-config --cflags --libs faultline) \
    -Wl,-rpath,"$folder/prefix-$kind/lib"
  check "pkg-config, $kind" "$folder/by-pkg-config"
done
