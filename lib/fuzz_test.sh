#!/bin/bash
# Every libFuzzer target over its kept corpus, and a few seconds of new input.
# (LONG=1: two minutes each).  A finding is left in BUILD/fuzz/NAME.findings/.
set -u
build=${1:?usage: fuzz_test.sh BUILD}
seconds=${LONG:+120}
seconds=${seconds:-3}
passed=0
failed=0
if ! make --no-print-directory BUILD="$build" fuzz >/dev/null; then
	echo "the fuzz targets do not build"
	echo "0 passed, 1 failed"
	exit 1
fi
for source in lib/*/*_fuzz.c conformance/*/*_fuzz.c; do
	[ -e "$source" ] || continue
	name=$(basename "$source" _fuzz.c)
	kept=fixtures/fuzz/$name
	new=$(mktemp -d)
	found=$build/fuzz/$name.findings
	mkdir -p "$found"
	if [ ! -d "$kept" ]; then
		echo "$name has no corpus"
		failed=$((failed + 1))
	elif "$build/fuzz/$name" -max_total_time="$seconds" -timeout=10 \
		-artifact_prefix="$found/" "$new" "$kept" >"$new.log" 2>&1; then
		grep -a '^Done' "$new.log" | sed "s/^Done/$name:/"
		passed=$((passed + 1))
	else
		tail -n 30 "$new.log"
		failed=$((failed + 1))
	fi
	rm -rf "$new" "$new.log"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
