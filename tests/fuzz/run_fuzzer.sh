#!/usr/bin/env bash
# run_fuzzer.sh PROGRAM RUNS [control]: runs a libFuzzer program from the corpus of its target. With `control` it is given
# something wrong to expect, and must say so.
set -euo pipefail
program=${1:?usage: run_fuzzer.sh PROGRAM RUNS [control]}
runs=${2:?the number of inputs}
corpus=$(dirname "$0")/corpus/$(basename "$program" | sed 's/^fuzz_//')
found=$(mktemp -d)
trap 'rm -rf "$found"' EXIT
mkdir "$found/corpus"

# What one input frees and leaves stays poisoned in a small quarantine and a small fake stack, too; leaks are looked for once, at
# the end.
export ASAN_OPTIONS=detect_stack_use_after_return=1:max_uar_stack_size_log=16:strict_string_checks=1:malloc_context_size=2
ASAN_OPTIONS+=:quarantine_size_mb=1:thread_local_quarantine_size_kb=64
export UBSAN_OPTIONS=print_stacktrace=1
[ "${3-}" != control ] || export FAULTLINE_FUZZ_CONTROL=1
status=0
"$program" -runs="$runs" -max_len=512 -entropic=0 -detect_leaks=0 -dict="$(dirname "$0")/words.dict" -timeout=20 -rss_limit_mb=4096 \
  -print_final_stats=1 -artifact_prefix="$found/" "$found/corpus" "$corpus" >"$found/said" 2>&1 || status=$?
grep -E '^(finding|stat::(number_of_executed_units|average_exec_per_sec)|SUMMARY)|runtime error' "$found/said" || true
grep -E '^#[0-9]+[[:space:]]+DONE' "$found/said" || true
if [ "${3-}" = control ]; then
  [ "$status" -eq 77 ] && grep -q '^finding: ' "$found/said"
  exit
fi
for input in "$found"/crash-* "$found"/timeout-* "$found"/oom-*; do
  [ -e "$input" ] || continue
  cp "$input" .
  echo "the input is $PWD/$(basename "$input"):"
  od -c "$input" | head -n 40
done
[ "$status" -eq 0 ] || tail -n 60 "$found/said"
exit "$status"
