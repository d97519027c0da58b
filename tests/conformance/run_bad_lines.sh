#!/usr/bin/env bash
# run_bad_lines.sh DRIVER: each malformed case ends with status 2 and one line on standard error that names the line.
set -u
driver=$1
target=$'target A level=DEBUG\n'
check() { # check LINE_NUMBER TEXT
  local error status
  error=$(printf '%s' "$2" | "$driver" 2>&1 >/dev/null)
  status=$?
  if [ "$status" -ne 2 ] || [ "$(printf '%s\n' "$error" | wc -l)" -ne 1 ] || [[ $error != "line $1: "* ]]; then
    printf 'status %s, "%s" for:\n%s\n' "$status" "$error" "$2"
    failures=$((${failures:-0} + 1))
  fi
}
check 1 $'bogus\n'
check 1 $'\n'
check 2 "$target"$'target B level=LOUD\n'
check 2 "$target"$'target B\n'
check 2 "$target"$'end ok\n'
check 2 "$target"$'log logger=app..db level=INFO text\n'
check 2 "$target"$'log logger=app level=INFO\n'
check 2 "$target"$'begin logger=app capacity=0 flush_level=ERROR on_full=flush target=A\n'
check 2 "$target"$'begin logger=app capacity=x flush_level=ERROR on_full=flush target=A\n'
check 2 "$target"$'begin logger=app capacity=1 flush_level=ERROR on_full=never target=A\n'
check 2 "$target"$'begin logger=app capacity=1 flush_level=ERROR on_full=flush target=Z\n'
check 3 "$target"$'begin logger=app capacity=1 flush_level=ERROR on_full=flush target=A\nend maybe\n'
check 3 "$target"$'begin logger=app capacity=1 flush_level=ERROR on_full=flush target=A\nset_level logger=app level=\n'
[ "${failures:-0}" -eq 0 ]
