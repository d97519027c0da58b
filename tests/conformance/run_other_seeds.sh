#!/usr/bin/env bash
# run_other_seeds.sh DRIVER SEED…: makes 120 cases from each seed with Python itself and runs them. Then doctors one case
# to see that a difference is noticed.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
driver=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for seed in "$@"; do
  /usr/bin/python3 "$here/generate.py" "$seed" 120 "$folder/cases"
done
"$here/run_cases.sh" "$driver" "$folder/cases"

mkdir "$folder/doctored"
doctored=$(grep -l '^> ' "$folder"/cases/*.txt | head -n 1)
sed '0,/^> /{s/^> ./> Z/}' "$doctored" >"$folder/doctored/case.txt"
if "$here/run_cases.sh" "$driver" "$folder/doctored" >/dev/null; then
  echo "the doctored case was not noticed"
  exit 1
fi
