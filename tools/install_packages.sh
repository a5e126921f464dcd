#!/usr/bin/env bash
# Installs what is missing of tools/packages.txt, for the groups named on the command line (build test lint), and for
# `test` what tools/python_packages.txt and tools/json_schema_suite.txt name, into build/python, and what
# tools/node/package-lock.json names, into build/node.
# Fast when nothing is missing: it asks dpkg and touches neither the network nor sudo.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=$here/../build/python
node=$here/../build/node

if [ $# -eq 0 ]; then
  echo "usage: tools/install_packages.sh GROUP...   (build test lint)" >&2
  exit 2
fi

wanted=()
for group in "$@"; do
  mapfile -t -O "${#wanted[@]}" wanted < <(awk -v g="$group" '$1 == g { print $2 }' "$here/packages.txt")
done
# Another npm than Debian's does as well, and may not stand beside it.
if [[ " $* " == *" test "* ]] && ! command -v npm >/dev/null; then wanted+=(nodejs npm); fi

if ! command -v dpkg-query >/dev/null; then
  echo "This machine has no dpkg. Millrace is built on Debian 12; the packages are listed in tools/packages.txt." >&2
  exit 1
fi
have=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^installed //p' | sort -u || true)
mapfile -t missing < <(printf '%s\n' "${wanted[@]}" | sort -u | comm -23 - <(printf '%s\n' "$have"))

install_python() {
  cmp -s "$here/python_packages.txt" "$python/installed.txt" && return
  python3 -m pip install --quiet --no-deps --upgrade --disable-pip-version-check --root-user-action ignore \
    --target "$python" -r "$here/python_packages.txt" >&2
  cp "$here/python_packages.txt" "$python/installed.txt"
}
install_node() {
  cmp -s "$here/node/package-lock.json" "$node/node_modules/installed.json" && return
  mkdir -p "$node"
  cp -r "$here/node/." "$node"
  npm ci --prefix "$node" --ignore-scripts --no-audit --no-fund --silent >&2
  cp "$here/node/package-lock.json" "$node/node_modules/installed.json"
}
install_json_schema_suite() {
  local suite=$python/json_schema_suite
  cmp -s "$here/json_schema_suite.txt" "$suite/installed.txt" && return
  rm -rf "$suite"
  mkdir -p "$suite"
  python3 -m pip download --quiet --no-deps --no-binary :all: --disable-pip-version-check \
    --dest "$suite/package" --require-hashes -r "$here/json_schema_suite.txt" >&2
  tar -xzf "$suite"/package/*.tar.gz -C "$suite" --strip-components=2 --wildcards '*/json/tests' '*/json/remotes'
  rm -r "$suite/package"
  cp "$here/json_schema_suite.txt" "$suite/installed.txt"
}
finish() {
  if [[ " $* " == *" test "* ]]; then
    install_python
    install_json_schema_suite
    install_node
  fi
  exit
}
if [ "${#missing[@]}" -eq 0 ] || [ -z "${missing[0]}" ]; then finish "$@"; fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "Missing packages: ${missing[*]}" >&2
    echo "Run as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi

install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q -o Acquire::Retries=3 >&2 &&
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
      -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "${missing[@]}" >&2
}

echo "Installing ${#missing[@]} packages: ${missing[*]}" >&2
if ! install; then
  echo "The installation failed; one more try in ten seconds." >&2
  sleep 10
  install
fi
finish "$@"
