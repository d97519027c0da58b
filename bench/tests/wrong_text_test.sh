#!/usr/bin/env bash
# Negative control: a variant that writes a wrong text fails the run, with one line that says so.
#   wrong_text_test.sh BUILD_FOLDER
set -u
out=$(/usr/bin/python3 -B "$(dirname "$0")/../run.py" --build "$1" --out "$1/wrong_text" --quick --peer control \
  --scenario held 2>&1)
status=$?
if [ "$status" -ne 1 ] || ! grep -q '^bench: control_wrong_text in text: wrong text: no line ends with' <<<"$out"; then
  printf 'status %s\n%s\n' "$status" "$out"
  exit 1
fi
