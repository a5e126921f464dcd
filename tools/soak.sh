#!/usr/bin/env bash
# What takes hours: the replay across 50 random kills, and 10,000 simulation seeds. MILLRACE_KILLS and MILLRACE_SEEDS change
# the numbers. Prints the seeds; the results belong into docs/reliability.md with the date.
set -euo pipefail
cd "$(dirname "$0")/.."
make --no-print-directory build-all
export MILLRACE_KILLS=${MILLRACE_KILLS:-50} MILLRACE_SEEDS=${MILLRACE_SEEDS:-10000}
echo "soak of $(date -u +%FT%TZ), $(git rev-parse --short HEAD): $MILLRACE_KILLS kills, $MILLRACE_SEEDS seeds"
ctest --test-dir build/release --output-on-failure --timeout 36000 --verbose -L 'soak|e2e_kills' |
  tee "build/soak-$(date -u +%Y%m%d-%H%M%S).log"
