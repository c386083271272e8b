#!/usr/bin/env bash
# A Chromium for the browser tests: prints where it is, and installs Debian's when there is none.
source "$(dirname "$0")/env.sh"

find_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$name" ] && have "$name"; then
      command -v "$name"
      return
    fi
  done
  return 1
}

if ! find_chromium; then
  have apt-get || die "No Chromium is here: install chromium or google-chrome, or set CHROMIUM to one."
  say "Installing Chromium"
  apt_install chromium >&2
  find_chromium || die "Debian's chromium was installed but is not on the PATH: set CHROMIUM to it."
fi
