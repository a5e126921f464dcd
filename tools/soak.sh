#!/usr/bin/env bash
# What takes an hour: the replay across 50 random kills, and 10,000 simulation seeds. MILLRACE_KILLS and MILLRACE_SEEDS change
# the numbers. Every seed that fails is named with the command that replays it; the results belong into docs/reliability.md.
set -euo pipefail
cd "$(dirname "$0")/.."
make --no-print-directory build-all
kills=${MILLRACE_KILLS:-50} seeds=${MILLRACE_SEEDS:-10000}
log=build/soak-$(date -u +%Y%m%d-%H%M%S)
echo "soak of $(date -u +%FT%TZ), $(git rev-parse --short HEAD): $kills kills, seeds 1..$seeds; log in $log.*"

bad=0
MILLRACE_KILLS=$kills python3 tests/e2e/kills_test.py --binary build/release/bin/millrace 2>&1 | tee "$log.kills" || bad=1

# A share of the seeds for every core.
cores=$(nproc) first=1 running=()
for ((core = 1; core <= cores; ++core)); do
  last=$((seeds * core / cores))
  build/release/bin/millrace-sim --seeds "$first..$last" --keep-going >"$log.seeds.$core" 2>"$log.talk.$core" &
  running+=($!)
  first=$((last + 1))
done
for pid in "${running[@]}"; do wait "$pid" || bad=1; done
cat "$log".seeds.*
[ "$bad" -eq 0 ] && echo "soak: passed" || echo "soak: FAILED"
exit "$bad"
