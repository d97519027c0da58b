#!/usr/bin/env bash
# Counts the instructions of statements and scopes with callgrind, and holds each figure against its limit.
#
#   instructions.sh PROGRAM COMPILER-ID
#
# Each case runs 1000 and 2000 times; the difference, divided by 1000 and freed of the loop around it, is one. The
# controls: a case with one instruction more must show exactly one more, and a limit one below a figure must be missed.
set -euo pipefail
program=$1
compiler=$2

# case | limit for GNU | limit for Clang | what it is
limits='
numbers_scope | 32  | 36  | held record, three numbers, clock_kind::scope
numbers_tsc   | 43  | 48  | held record, three numbers, clock_kind::tsc
numbers_coarse | 32  | 36  | held record, three numbers, clock_kind::coarse
volatile_scope | 32  | 36  | held record, three numbers, one of them volatile, clock_kind::scope
text_scope    | 80  | 80  | held record, string of 24 and int, clock_kind::scope
text_tsc      | 95  | 95  | held record, string of 24 and int, clock_kind::tsc
disabled      | 2   | 3   | statement below the level
program       | 34  | 38  | held record, three numbers, of a logger at namespace scope, clock_kind::scope
scope         | 129 | 125 | scope entered and left
trip          | 1745 | 1900 | 32 held records, an error, hand-over by pointer, with the scope
pass          | 270 | 275 | record of the pass path outside any scope
'

# The instructions that PROGRAM collects in a case of so many iterations.
collected() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null --collect-atstart=no "$program" "$1" "$2" 2>&1 |
    awk '/Collected/ { print $4; found = 1 } END { exit !found }'
}

# One iteration of a case, exactly.
one() { echo $((($(collected "$1" 2000) - $(collected "$1" 1000)) / 1000)); }

# Says whether a figure keeps a limit.
keeps() { [ "$1" -le "$2" ]; }

loop=$(one loop)
pause=$(one pause)
failed=0
declare -A figure
while IFS='|' read -r name gnu clang what; do
  name=${name// /}
  [ -n "$name" ] || continue
  if [ "$compiler" = GNU ]; then limit=${gnu// /}; else limit=${clang// /}; fi
  around=$loop
  case $name in trip | pass) around=$pause ;; esac
  figure[$name]=$(($(one "$name") - around))
  verdict=ok
  keeps "${figure[$name]}" "$limit" || { verdict=OVER; failed=1; }
  printf '%-5s %5d instructions (at most %5d)  %s\n' "$verdict" "${figure[$name]}" "$limit" "${what# }"
done <<<"$limits"

more=$(($(one control_scope) - loop))
if [ $((more - figure[numbers_scope])) -eq 1 ] && ! keeps "${figure[numbers_scope]}" $((figure[numbers_scope] - 1)); then
  echo 'ok    control: one instruction more counts as one, and a limit one below the figure is missed'
else
  echo "WRONG control: one instruction more counts as $((more - figure[numbers_scope]))"
  failed=1
fi
exit $failed
