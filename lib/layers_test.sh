#!/bin/bash
# Who may include whom: `layers_test.sh`, from the top of the repository.  A
# folder includes itself, folders of lower layers, and those of its own layer
# when the layer is one ring (knowledge, engine: lib/README.md).  A folder is
# one check.
set -u
cd "$(dirname "$0")/.." || exit 1

edges=$(for file in lib/*/*.[ch] cgi/*.[ch] fcgi/*.[ch]; do
	case $file in
	*_test.[ch] | *_bench.c | *_fuzz.c) continue ;;
	lib/*) from=${file#lib/} ;;
	*) from=$file ;;
	esac
	sed -nE 's,^#include "([a-z]+)/.*,'"$file ${from%%/*}"' \1,p' "$file"
done)

echo "$edges" | awk '
BEGIN {
	n = split("base|json http config|validate auth store|usage|" \
	    "knowledge* engine* limits|turn|botapi messagesapi|app|cgi fcgi",
	    layers, "|")
	for (i = 1; i <= n; i++) {
		m = split(layers[i], names, " ")
		for (k = 1; k <= m; k++) {
			ring = sub(/\*/, "", names[k])
			layer[names[k]] = i
			in_ring[names[k]] = ring
		}
	}
}
# limits stands beside the ring and may use it.
function allowed(from, to) {
	if (from == to || layer[to] < layer[from])
		return 1
	return layer[to] == layer[from] && in_ring[to] &&
	    (in_ring[from] || from == "limits")
}
NF == 3 {
	folders[$2] = 1
	if (!($2 in layer) || !($3 in layer))
		wrong = $2 " or " $3 " is in no layer"
	else if (!allowed($2, $3))
		wrong = $2 " includes " $3
	else
		next
	print "FAILED " $1 ": " wrong
	bad[$2] = 1
}
END {
	for (folder in folders)
		if (folder in bad)
			failed++
		else
			passed++
	printf "%d passed, %d failed\n", passed, failed
	exit failed > 0 || passed < 15
}'
