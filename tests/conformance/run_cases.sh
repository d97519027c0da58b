#!/usr/bin/env bash
# run_cases.sh DRIVER FOLDER…: runs every case of the folders and compares to the byte. Fails on a difference, and on no cases.
set -u
driver=$1
shift
passed=0 failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT
for folder in "$@"; do
  for case in "$folder"/*.txt; do
    if "$driver" <"$case" >"$output" && cmp -s "$output" "$case"; then
      passed=$((passed + 1))
    else
      failed=$((failed + 1))
      echo "differs: $case"
      diff "$case" "$output" | head -n 5
    fi
  done
done
echo "$passed of $((passed + failed)) cases byte-equal"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
