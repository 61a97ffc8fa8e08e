#!/bin/bash
# The answers to the questions of small sites are not worse than recorded:
# at least so many percent right, at most so many wrong with confidence (all
# of fixtures/evaluation-sites but unseen/, which nobody tunes on; it takes
# seconds).  usage: sites_test.sh BUILD
set -u
build=${1:?usage: sites_test.sh BUILD}
cd "$(dirname "$0")/../.." || exit 1
make --no-print-directory -s BUILD="$build" "$build/sites_bench" || exit 1
passed=0 failed=0
# site or folder, right, wrong
while read -r folder right wrong; do
	if out=$("$build/sites_bench" --floor "$right" "$wrong" \
		"fixtures/evaluation-sites/$folder" 2>/dev/null); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $folder: not $right % right and $wrong % wrong"
		tail -4 <<<"$out"
	fi
done <<'END'
studio 93 3.4
seen 91 1.7
END
echo "$passed passed, $failed failed"
[ $failed = 0 ]
