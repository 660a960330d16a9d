#!/bin/sh
# Node.js: readdir with `recursive` and the encoding latin1 (which preserves each byte of a name) silently omits the contents of folders
# whose names are not UTF-8. It does not support names as buffers at all. A program that copies or removes a tree with it misses those
# files. So the command line's cp reads one folder after the other.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-save --prefix "$folder/npm" node@24.21.0
node=$folder/npm/node_modules/.bin/node
"$node" --version

mkdir tree
cd tree
odd=$(printf 'd\377')
mkdir "$odd" plain
touch "$odd/in" plain/in

"$node" -e '
const fs = require("node:fs");
const flat = fs.readdirSync(".", { encoding: "latin1" }).sort();
const deep = fs.readdirSync(".", { encoding: "latin1", recursive: true }).sort();
let buffers;
try {
  buffers = fs.readdirSync(".", { encoding: "buffer", recursive: true }).length;
} catch (error) {
  buffers = error.code;
}
console.log("folders:              ", JSON.stringify(flat));
console.log("recursive, latin1:    ", JSON.stringify(deep));
console.log("recursive, as buffers:", buffers);
const isAsSeen = deep.includes("plain/in") && !deep.includes("d\xff/in") && buffers === "ERR_INVALID_ARG_TYPE";
console.log(isAsSeen ? "as it was seen" : "it behaves otherwise than it was seen to");
process.exit(isAsSeen ? 0 : 1);
'
