#!/bin/bash
# Who may include whom: `layers_test.sh`, from the top of the repository.  A
# folder includes itself and folders of lower layers; within a folder files
# include one another without a circle (a NAME.c and its NAME.h are one).
# There are no exceptions.  A folder is one check, a file another.
set -u
cd "$(dirname "$0")/.." || exit 1

# What is included, as FILE FROM-FOLDER TO-FOLDER TO-NAME.
edges() {
	for file in lib/*/*.[ch] cgi/*.[ch] fcgi/*.[ch] \
		conformance/*.[ch] conformance/*/*.[ch]; do
		case $file in
		*_test.[ch] | *_bench.c | *_fuzz.c | *_make.c) continue ;;
		lib/*) from=${file#lib/} from=${from%/*} ;;
		conformance/*/*) from=${file%/*} ;;
		*) from=${file%%/*} ;;
		esac
		sed -nE 's,^#include "(([a-z]+)/)?([a-z_0-9]+)\.(h|inc)".*,\2 \3,p' \
			"$file" | while read -r to name; do
			[ -n "$name" ] || { name=$to to=$from; }
			case $from in
			conformance*) [ -d "conformance/$to" ] && to=conformance/$to ;;
			esac
			echo "$file $from $to $name"
		done
	done
}

edges | awk '
BEGIN {
	n = split("base|json http config chat|validate auth store language|" \
	    "durable usage documents upstream|index limits|knowledge|engine|" \
	    "builtin|turn|events|dialogue|botapi messagesapi site|app|cgi fcgi|" \
	    "conformance/match|" \
	    "conformance/cases conformance/targets|conformance/run " \
	    "conformance/selftest|conformance/report|conformance",
	    layers, "|")
	for (i = 1; i <= n; i++) {
		m = split(layers[i], names, " ")
		for (k = 1; k <= m; k++)
			layer[names[k]] = i
	}
}
# Is there a way from one file to another, by includes?
function reaches(from, to,    next_one, names, k, m) {
	if (from == to)
		return 1
	if (from in seen)
		return 0
	seen[from] = 1
	m = split(includes[from], names, " ")
	for (k = 1; k <= m; k++)
		if (reaches(names[k], to))
			return 1
	return 0
}
{
	folders[$2] = 1
	if (!($2 in layer) || !($3 in layer))
		wrong = $2 " or " $3 " is in no layer"
	else if ($2 != $3 && layer[$3] >= layer[$2])
		wrong = $2 " includes " $3
	else
		wrong = ""
	if (wrong != "") {
		print "FAILED " $1 ": " wrong
		bad[$2] = 1
	}
	name = $1
	sub(/\.[ch]$/, "", name)
	sub(/.*\//, "", name)
	from = $2 "/" name
	to = $3 "/" $4
	files[from] = 1
	if (from != to && !((from, to) in known)) {
		known[from, to] = 1
		includes[from] = includes[from] " " to
	}
}
END {
	for (folder in folders)
		if (folder in bad)
			failed++
		else
			passed++
	for (file in files) {
		circle = ""
		m = split(includes[file], names, " ")
		for (k = 1; k <= m && circle == ""; k++) {
			delete seen
			if (reaches(names[k], file))
				circle = names[k]
		}
		if (circle != "") {
			print "FAILED " file " and " circle " form a circle"
			failed++
		} else {
			passed++
		}
	}
	printf "%d passed, %d failed\n", passed, failed
	exit failed > 0 || passed < 200
}'
