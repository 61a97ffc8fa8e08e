#!/bin/bash
# The admin command as a shell user meets it: `admin_test.sh BUILD`.
build=$(realpath "${1:?usage: admin_test.sh BUILD}")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0
failed=0
unset GATEWAY_INTERFACE
export PARLANCE_CONFIG=$dir/parlance.conf
unset PARLANCE_STATE

# expect NAME STATUS PATTERN COMMAND...: its status and what it prints.
expect() {
	local name=$1 status=$2 pattern=$3 out got
	shift 3
	out=$("$@" 2>&1)
	got=$?
	if [ "$got" = "$status" ] && echo "$out" | grep -qE -- "$pattern"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED %s: status %s, wanted %s and "%s":\n%s\n' \
			"$name" "$got" "$status" "$pattern" "$out"
	fi
}

parlance=$build/parlance
expect "help names the commands" 0 "key new" "$parlance" --help
expect "no command is wrong usage" 2 "usage: parlance" "$parlance"
expect "an unknown command is named" 2 'unknown command "frob"' \
	"$parlance" frob
expect "the version" 0 "^parlance [0-9]" "$parlance" --version
expect "the reference knows every section" 0 "\[knowledge NAME\]" \
	"$parlance" help config
expect "a missing file is named" 1 "parlance.conf: No such file" \
	"$parlance" check

printf '[bot help]\n' >"$PARLANCE_CONFIG"
expect "a missing state folder is named with its fix" 1 \
	"mkdir -p -m 0700 $dir/state" "$parlance" check
mkdir "$dir/state"
expect "a good file is said to be good" 0 "ok: 1 bots, 0 keys" \
	"$parlance" check
expect "the way to a first key is shown" 0 "parlance key new" \
	"$parlance" check

expect "check makes nothing" 0 "^$" ls -A "$dir/state"
expect "nor does doctor" 1 "^note +database +$dir/state/parlance.db will be" \
	"$parlance" doctor
expect "in the state folder" 0 "^$" ls -A "$dir/state"
expect "an option that is none" 2 "usage: parlance check" "$parlance" check -x
expect "two files" 2 "usage: parlance check" "$parlance" check a b
expect "what is looked at is listed" 0 "^  both +keys +is there a key" \
	"$parlance" help checks

# Where a configuration is looked for.
mkdir "$dir/here"
away=$dir/away
mkdir "$away" && cp "$build/parlance.cgi" "$away/parlance"
in_folder() {
	(cd "$1" && shift && env -u PARLANCE_CONFIG "$@")
}
if [ ! -e /etc/parlance/parlance.conf ]; then
	expect "all places are named" 1 "looked for $away/parlance.conf, \
/etc/parlance/parlance.conf, $dir/here/parlance.conf" \
		in_folder "$dir/here" "$away/parlance" check
	cp "$PARLANCE_CONFIG" "$dir/here/parlance.conf"
	mkdir "$dir/here/state"
	expect "the current folder is one of them" 0 \
		"^$dir/here/parlance.conf: ok" \
		in_folder "$dir/here" "$away/parlance" check
	cp "$PARLANCE_CONFIG" "$away/parlance.conf"
	expect "beside the program comes first" 1 "folder $away/state: No such" \
		in_folder "$dir/here" "$away/parlance" check
fi

# json WANTED COMMAND...: an expression over what it prints, `d`.
json() {
	local wanted=$1
	shift
	"$@" | python3 -c "import json, sys
d = json.load(sys.stdin)
print(d if not ($wanted) else 'as wanted')"
}
expect "findings as JSON" 0 "^as wanted" json "d['problems'] == 0 and
d['configuration'].endswith('parlance.conf') and [f for f in d['findings'] if
f['check'] == 'keys'][0]['severity'] == 'note'" "$parlance" check --json
expect "doctor's as well" 0 "^as wanted" json "d['problems'] > 0 and [f for f
in d['findings'] if f['severity'] == 'problem' and f['check'] == 'keys' and
'key new' in f['fix']]" "$parlance" doctor --json
printf 'a\n[bot x\n' >"$dir/bad.conf"
expect "faults of the configuration too" 0 "^as wanted" json "
d['configuration'] is None and d['problems'] == len(d['findings']) >= 2 and
'bad.conf:1: ' in d['findings'][0]['message']" "$parlance" check --json \
	"$dir/bad.conf"

expect "nothing to clean" 0 "^removed 0 uploads .* 0 leftovers" \
	"$parlance" clean
expect "nothing is cleaned on wish" 0 "upload_days is 0" \
	env PARLANCE_SERVER_UPLOAD_DAYS=0 "$parlance" clean
expect "clean takes no words" 2 "usage: parlance clean" "$parlance" clean up

"$parlance" key new site >"$dir/key"
key=$(sed -n 's/^  \(app-.*\)/\1/p' "$dir/key")
sed -n '/^\[key/,$p' "$dir/key" >>"$PARLANCE_CONFIG"
expect "the printed section is accepted" 0 "1 keys" "$parlance" check
sed -n '/^hash/p' "$dir/key" | sed '1i [key other]' >>"$PARLANCE_CONFIG"
expect "two keys with one hash" 1 \
	"parlance.conf:[0-9]+: \[key other\] has the hash of \[key site\]" \
	"$parlance" check
sed -i '/^\[key other/,$d' "$PARLANCE_CONFIG"
expect "one key again" 0 "1 keys" "$parlance" check
expect "the key is not in the file" 1 "" grep -F "$key" "$PARLANCE_CONFIG"
expect "a key for knowledge says so" 0 "kind = dataset" \
	"$parlance" key new --dataset
expect "too many names" 2 "usage: parlance key new" \
	"$parlance" key new a b c
expect "another option" 2 "usage: parlance key new" "$parlance" key new --x

expect "two names" 2 "usage: parlance key new" "$parlance" key new a b
expect "a name that no section can have" 2 '"my site" cannot be a name' \
	"$parlance" key new "my site"
expect "half a command" 2 "usage: parlance key new" "$parlance" key
expect "a folder is no configuration" 1 "is not a file" "$parlance" check "$dir"

printf '[engine r]\nkind = replay\nrecordings = gone.json\n' \
	>>"$PARLANCE_CONFIG"
expect "recordings that are not there" 1 \
	"parlance.conf:[0-9]+: recordings of \[engine r\]: $dir/gone.json" \
	"$parlance" check
printf '[knowledge faq]\nfolder = nowhere\n' >>"$PARLANCE_CONFIG"
expect "a missing folder is named with its line" 1 \
	"parlance.conf:[0-9]+: the folder $dir/nowhere" "$parlance" check
printf 'language = klingon\n' >>"$PARLANCE_CONFIG"
expect "an unknown language" 1 "language = klingon of \[knowledge faq\]" \
	"$parlance" check
expect "an unknown knowledge" 1 "no \[knowledge zzz\]" "$parlance" index zzz

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
