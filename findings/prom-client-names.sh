#!/bin/sh
# prom-client's default metrics fail the check of Prometheus: the names of three gauges end in _total, which is for counters. A service
# passes `promtool check metrics` only if it removes these three. Other metrics, without _total, have the same values.
# Exits with 0 while that is so. Needs npm, and promtool (Debian: prometheus).
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund prom-client@15.1.3
node -e '
const { collectDefaultMetrics, Registry } = require("prom-client");
const register = new Registry();
collectDefaultMetrics({ register });
register.metrics().then((text) => process.stdout.write(text));
' > metrics
echo "prom-client $(node -p 'require("prom-client/package.json").version'), Node.js $(node -v), $(promtool --version 2>&1 | head -n 1)"
status=0
promtool check metrics < metrics > said 2>&1 || status=$?
cat said
echo "exit status $status"
[ "$status" -eq 3 ]
[ "$(grep -c 'non-counter metrics should not have "_total" suffix' said)" -eq 3 ]
