#!/bin/sh
# GNU tar with --gzip: if the folder to pack does not exist, tar exits with 2 and does not wait for its gzip process. That process creates
# the archive's file, often after tar has ended. So a clean-up that follows at once removes nothing, and the file is left. A shell that
# pipes tar into gzip creates the file first and waits for both, as examples/backup.yaml does.
set -eu
version=1.34+dfsg-1.2+deb12u1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
apt-get download -qq "tar=$version"
dpkg-deb -x tar_*.deb package
tar=$folder/package/bin/tar
"$tar" --version | head -n 1

count=200
after=0
for i in $(seq "$count"); do
  "$tar" --create --gzip --file "archive$i" --directory "$folder/missing" . 2>said || status=$?
  if [ ! -e "archive$i" ]; then
    sleep 0.02
    if [ -e "archive$i" ]; then after=$((after + 1)); fi
  fi
done
echo "exit code: $status, $(cat said)"
echo "of $count archives $after were made after tar had ended"

piped=0
for i in $(seq "$count"); do
  "$tar" --create --directory "$folder/missing" . 2>said | gzip > "piped$i" || true
  rm "piped$i"
done
sleep 0.2
for i in $(seq "$count"); do
  if [ -e "piped$i" ]; then piped=$((piped + 1)); fi
done
echo "of $count that a shell piped into gzip, and removed then, $piped were there in the end"

if [ "$status" = 2 ] && [ "$after" -gt 0 ] && [ "$piped" = 0 ]; then
  echo "as it was seen"
else
  echo "it behaves otherwise than it was seen to"
  exit 1
fi
