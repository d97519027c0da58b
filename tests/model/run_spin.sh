#!/usr/bin/env bash
# run_spin.sh [--full] [MUTATION_NAME…]: has Spin explore every state of hand_over.pml, for each question that the model answers;
# then has it find every mistake that the model can be made to contain (or those named). Fails when a question has an answer that it
# should not have, when a search is not complete, or when a mistake goes unnoticed. --full: with one record more.
set -euo pipefail
model=$(cd "$(dirname "$0")" && pwd)/hand_over.pml
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# What goes with the protocol in one search. Neither thread nor flusher takes another step because a ticket is out, a record is
# watched, or the flusher is to hang later: asked one at a time, the questions lose nothing, and each search is small enough. There
# are fewer records where one of them is watched.
questions=(stop flush hang record)
declare -A defines=([stop]="-DMAY_STOP" [flush]="-DMAY_FLUSH" [hang]="-DMAY_HANG" [record]="-DMAY_STOP -DWATCH_A_RECORD")
declare -A records=([stop]=3 [flush]=3 [hang]=3 [record]=3)
if [ "${1-}" = --full ]; then
  shift
  records=([stop]=4 [flush]=4 [hang]=4 [record]=3)
fi
declare -A texts=([stop]="owners, order and gaps; after stop everything is written"
  [flush]="a fulfilled ticket: what was published before is written"
  [hang]="a flusher that hangs holds up no thread"
  [record]="each record is written once or counted once")

search() { # search DEFINE…: leaves Spin's report in the file `report`
  rm -f pan pan.* ./*.trail
  spin "$@" -a "$model" >spin.log 2>&1 || { cat spin.log; exit 1; }
  gcc -O2 -w -DSAFETY -DMEMLIM=2048 -o pan pan.c
  ./pan -m200000 >report 2>&1 || true # pan's exit status says little: the report is read
}
is_complete() {
  grep -q 'errors: ' report && ! grep -qiE 'max search depth too small|out of memory|memory limit|Search not completed' report
}

if [ $# -eq 0 ]; then
  for question in "${questions[@]}"; do
    # shellcheck disable=SC2086 # several defines
    search ${defines[$question]} "-DRECORDS=${records[$question]}"
    if ! is_complete || ! grep -q 'errors: 0' report; then
      cat report
      echo "FAILED: ${texts[$question]}"
      exit 1
    fi
    printf 'good: %s (%s states)\n' "${texts[$question]}" "$(awk '/states, stored/ { print $1 }' report)"
  done
fi

mutations=("$@")
[ $# -gt 0 ] || mapfile -t mutations < <(grep -oE '^#ifn?def MUTATION_[A-Z_]+' "$model" | awk '{ print $2 }' | sort -u)
missed=0
for mutation in "${mutations[@]}"; do
  name=${mutation#MUTATION_}
  name=${name//_/ }
  found=
  for question in "${questions[@]}"; do
    # shellcheck disable=SC2086
    search "-D$mutation" ${defines[$question]} -DRECORDS=3
    if grep -qE 'errors: [1-9]' report; then
      found=$(grep -m1 -oE 'assertion violated .*|invalid end state' report)
      break
    fi
    is_complete || { cat report; exit 1; }
  done
  if [ -n "$found" ]; then
    printf 'caught: %s: %s\n' "${name,,}" "$found"
  else
    printf 'MISSED: %s\n' "${name,,}"
    missed=1
  fi
done
if [ $# -eq 0 ] && [ ${#mutations[@]} -lt 6 ]; then
  echo "The model contains too few mistakes."
  exit 1
fi
exit $missed
