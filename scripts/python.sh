#!/usr/bin/env bash
# The Python packages of the tests: Stripe's official library, in an environment of its own below SOUK_CACHE. Does nothing
# when it is there.
source "$(dirname "$0")/env.sh"

# Stripe's library in the version made for the API version that the sandbox answers (src/sandbox/stripe/mod.rs).
wanted="stripe==16.0.1 requests==2.34.2 typing_extensions==4.16.0"

home=$SOUK_CACHE/python
if [ "$(cat "$home/souk-packages" 2>/dev/null || true)" = "$wanted" ] && "$home/bin/python" -c 'import stripe' 2>/dev/null; then exit 0; fi
have python3 || apt_install python3
# Debian's python3 comes without what makes environments.
python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv
say "Fetching the Python packages of the tests"
rm -rf "$home"
python3 -m venv "$home"
# shellcheck disable=SC2086  # one word per package
"$home/bin/pip" --quiet --disable-pip-version-check install $wanted
echo "$wanted" >"$home/souk-packages"
