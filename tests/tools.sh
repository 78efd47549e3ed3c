#!/usr/bin/env bash
# Finds the programs that some tests need, or installs Debian's where it may. Prints which tests can run, as an expression
# for `pytest -m`; everything else goes to stderr. With CI=true a missing program is a failure.
set -euo pipefail

have() { for name in "$@"; do command -v "$name" >/dev/null && return; done; return 1; }
have_chromium() { have chromium chromium-browser google-chrome google-chrome-stable; }

if ! { have_chromium && have exiftool; } && [ "$(id -u)" = 0 ] && have apt-get; then
  echo "Installing Debian's chromium and exiftool for the tests." >&2
  { apt-get -qq update && DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install --yes --no-install-recommends chromium libimage-exiftool-perl; } >&2 </dev/null || true
fi

left_out="" only="not chaos"
have exiftool || left_out="reading labels back with ExifTool"
have_chromium || { left_out="the page in a browser${left_out:+, $left_out}" only="not chaos and not browser"; }

if [ -n "$left_out" ]; then
  cat >&2 <<EOF

  ################################################################
  #  NOT EVERYTHING IS TESTED. Left out:
  #  $left_out.
  #  Install Chromium and ExifTool (Debian: chromium,
  #  libimage-exiftool-perl) and run this again.
  ################################################################

EOF
  [ "${CI:-}" != true ] || exit 1
fi

echo "$only"
