#!/bin/sh
# Runs a command line for each of many items, all at once. Lists the failed ones with their output, and fails if there are any.
#
#   fan-out.sh 'gzip --test "$ITEM"' /var/log/*.gz
command=$1
shift
batch=$$-$(date +%s)

stop() {
  jobrunner kill $(jobrunner ps --quiet --limit 10000 --label batch=$batch)
  exit 130
}
trap stop INT TERM

ids=$(for item; do jobrunner run --detach --label batch=$batch --name "$item" --env ITEM="$item" --command "$command" || exit; done) || stop
jobrunner wait $ids > /dev/null && exit

set -- --all --limit 10000 --label batch=$batch --state Failed,Killed,TimedOut,Lost
jobrunner ps "$@"
for id in $(jobrunner ps --quiet "$@"); do jobrunner logs "$id"; done
exit 1
