#!/usr/bin/env bash
# check_man.sh PAGE…: groff has nothing to say against the pages and they have a name to be found by.
# check_man.sh --control: a wrong page is refused.
set -eu
warnings() { LC_ALL=C groff -ww -man -Tutf8 -z "$1" 2>&1; }
check() { # check PAGE
  local said
  said=$(warnings "$1")
  if [ -n "$said" ]; then
    printf '%s\n' "$said"
    return 1
  fi
  if ! grep -q '^\.SH NAME$' "$1"; then
    echo "$1 has no section NAME"
    return 1
  fi
}
if [ "${1-}" = --control ]; then
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  printf '.TH wrong 3 2026-11-22\n.SH NAME\nwrong \\- \\*[nowhere]\n.NOSUCH request\n' >"$folder/wrong.3"
  printf '.TH empty 3 2026-11-22\n.PP\ntext\n' >"$folder/empty.3"
  for page in wrong empty; do
    if check "$folder/$page.3" >/dev/null; then
      echo "$page.3 is accepted"
      exit 1
    fi
  done
else
  for page in "$@"; do check "$page"; done
fi
