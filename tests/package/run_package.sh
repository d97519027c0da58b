#!/usr/bin/env bash
# run_package.sh SOURCE CXX: makes the Debian packages, unpacks them into an empty root, looks at what they hold, and builds and runs
# a program against them: by CMake with the shared and the static library, and by pkg-config. scripts/check_package installs them
# by apt into a system of its own.
set -eu
source=$1
export CXX=$2
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

quietly() { "$@" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }; }
refuse() { echo "$*"; exit 1; }

quietly "$source/scripts/package" "$folder/build"
packages=("$folder"/build/*.deb)
root=$folder/root
for package in "${packages[@]}"; do
  dpkg-deb -x "$package" "$root"
  dpkg-deb -c "$package" | grep -v '/$' | sed 's/.* \.\///; s/ -> .*//' >>"$folder/files"
  grep -q faultline-dev <<<"$package" || dpkg-deb --ctrl-tarfile "$package" | tar -xO ./shlibs >/dev/null
done
[ -z "$(sort "$folder/files" | uniq -d)" ] || refuse "in two packages: $(sort "$folder/files" | uniq -d)"
libraries=$(dirname "$(find "$root" -name libfaultline.a)")
for library in "$libraries"/*.so; do
  [ -e "$library" ] || refuse "$library leads nowhere"
  ! readelf -d "$library" | grep -qE 'RPATH|RUNPATH' || refuse "$library has a path of the build"
done
"$here/exports.py" "$libraries"/libfaultline*.so
gzip -dc "$root/usr/share/man/man3/faultline.3.gz" >"$folder/faultline.3"
"$here/check_man.sh" "$folder/faultline.3"
dpkg-deb -f "$folder"/build/libfaultline-dev_*.deb Depends | grep -qE 'libfaultline[0-9.]+ \(= .*libfmt-dev' ||
  refuse "libfaultline-dev does not say what it needs"
for package in "$root"/usr/share/doc/libfaultline*; do
  [ -s "$package/copyright" ] || refuse "$package has no copyright"
done

# The packages' own root, not what is installed on this machine.
run() { # run NAME PROGRAM
  local output
  output=$(LD_LIBRARY_PATH=$libraries "$2" 2>&1) || refuse "$1 fails: $output"
  [[ $output == *'held 1'* && $output == *'written 2'* ]] || refuse "$1 wrote: $output"
  echo "$1: good"
}
quietly cmake -G Ninja -S "$here/consumer" -B "$folder/consumer" -DCMAKE_PREFIX_PATH="$root/usr"
grep -q "^faultline_DIR:.*=$root/usr" "$folder/consumer/CMakeCache.txt" || refuse "another faultline was found"
quietly cmake --build "$folder/consumer"
run "the shared library by CMake" "$folder/consumer/shared"
readelf -d "$folder/consumer/shared" | grep -q 'NEEDED.*libfaultline\.so' || refuse "the program is not linked with libfaultline.so"
run "the static library by CMake" "$folder/consumer/static"
! readelf -d "$folder/consumer/static" | grep -q 'NEEDED.*libfaultline' || refuse "the static program needs a shared library"

export PKG_CONFIG_PATH=$libraries/pkgconfig
# shellcheck disable=SC2046  # flags are words
quietly "$CXX" -std=c++20 "$here/consumer/main.cpp" -o "$folder/by-pkg-config" \
  $(pkg-config --cflags --libs faultline faultline-syslog) -Wl,-rpath-link,"$libraries"
run "the shared library by pkg-config" "$folder/by-pkg-config"
# shellcheck disable=SC2046
quietly "$CXX" -std=c++20 "$here/consumer/main.cpp" -o "$folder/static-by-pkg-config" \
  -Wl,-Bstatic $(pkg-config --cflags --libs-only-L --libs-only-l faultline-syslog faultline | sed 's/-lfmt//') -Wl,-Bdynamic \
  $(pkg-config --static --libs fmt) -lzstd -pthread
run "the static library by pkg-config" "$folder/static-by-pkg-config"
