#!/bin/sh
# Node.js: readdir with `recursive` leaves out, without a word, what is in folders whose names are no UTF-8 when names are asked for as
# latin1 (by which each byte could be told), and cannot give names as buffers at all. Whoever walks a tree with it and copies or removes
# what it gives misses those files. So the command line's cp reads folder after folder.
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
