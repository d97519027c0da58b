#!/usr/bin/env bash
# check_repeatedly.sh RUNS PROGRAM EXPECTED: the standard error of each of RUNS runs of PROGRAM equals the file EXPECTED
# to the byte.
set -euo pipefail

runs=$1
program=$2
expected=$3

actual=$(mktemp)
trap 'rm -f "$actual"' EXIT
for ((run = 1; run <= runs; run++)); do
  "$program" 2>"$actual"
  if ! cmp -s "$actual" "$expected"; then
    echo "run $run of $runs differs:" >&2
    diff -u "$expected" "$actual" >&2 || true
    exit 1
  fi
done
echo "$runs of $runs runs are equal to the byte"
