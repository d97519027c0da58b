#!/usr/bin/env bash
# check_output.sh PROGRAM SOURCE [ARGUMENT…]: runs PROGRAM and compares what it writes, standard output and standard error
# together, with the comment lines that follow `// Outputs:` in SOURCE. What differs from run to run is written there as
# <time>, <thread> and <duration>. A line `// Exits with N` before names the status; without it that is 0.
set -euo pipefail

program=$1
source=$2
shift 2

expected=$(sed -n '/^\/\/ Outputs:$/,$p' "$source" | sed -e 1d -e '/^\/\//!d' -e 's|^// \{0,1\}||')
if [[ -z $expected ]]; then
  echo "$source has no lines after '// Outputs:'" >&2
  exit 2
fi

expected_status=$(sed -n 's|^// Exits with \([0-9]*\)$|\1|p' "$source")
status=0
written=$("$program" "$@" 2>&1) || status=$?
if ((status != ${expected_status:-0})); then
  printf '%s\nexited with %s, not %s\n' "$written" "$status" "${expected_status:-0}" >&2
  exit 1
fi
actual=$(sed -E \
  -e 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/<time>/g' \
  -e 's/thread=[0-9]+/thread=<thread>/g' \
  -e 's/"thread":[0-9]+/"thread":<thread>/g' \
  -e 's/"duration_ns":[0-9]+/"duration_ns":<duration>/g' \
  -e 's/duration=[0-9.]+ms/duration=<duration>/g' <<<"$written")

diff --label "expected by $(basename "$source")" --label "written by $(basename "$program")" -u \
  <(printf '%s\n' "$expected") <(printf '%s\n' "$actual")
