# Sourced by the other scripts: `need PACKAGE…` installs what is missing from Debian's packages.
need() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo "installing: ${missing[*]}"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

packages_to_build=(g++ cmake ninja-build pkg-config libconcurrentqueue-dev libfmt-dev)
packages_to_package=(dpkg-dev gzip libcurl4-openssl-dev libspdlog-dev libgoogle-glog-dev nlohmann-json3-dev libzstd-dev)
packages_to_test=(catch2 clang-14 clang-format-14 clang-tidy-14 libclang-rt-14-dev valgrind spin relacy-dev gcc libc6-dev python3
  libcpp-httplib-dev nlohmann-json3-dev libspdlog-dev libbenchmark-dev python3-matplotlib libzstd-dev zstd
  libgoogle-glog-dev rsyslog systemd util-linux mount libcurl4-openssl-dev libcli11-dev python3-aiosmtpd openssl groff
  dpkg-dev doxygen)
