#!/bin/bash
# What a CGI request costs, as a multiple of an empty libc-only CGI program
# that does the same exchange: `start_bench.sh BUILD`.  The programs take
# turns, so that a busy moment of the machine hits all of them.  What waits
# for the disk is also compared with a floor that does.
set -eu
build=$(realpath "${1:?usage: start_bench.sh BUILD}")
here=$(realpath "$(dirname "$0")")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cc -O2 -o "$dir/floor" "$here/bench/floor.c"
cc -O2 -D_GNU_SOURCE -o "$dir/spawn" "$here/bench/spawn.c"
mkdir -m 0700 "$dir/state"
key=$("$build/parlance" key new bench)
token=$(echo "$key" | sed -n 's/^  \(app-.*\)/\1/p')
{
	echo "[server]"
	echo "state = $dir/state"
	echo "[bot demo]"
	echo "persona = You help."
	echo "$key" | sed -n '/^\[key/,$p'
} >"$dir/parlance.conf"

export GATEWAY_INTERFACE=CGI/1.1 SERVER_PROTOCOL=HTTP/1.1 \
	SERVER_NAME=localhost SERVER_PORT=80 REMOTE_ADDR=127.0.0.1 \
	PARLANCE_CONFIG=$dir/parlance.conf HTTP_AUTHORIZATION="Bearer $token"

measure() { # PROGRAM METHOD URI BODY TIMES
	REQUEST_METHOD=$2 REQUEST_URI=$3 PATH_INFO=$3 CONTENT_LENGTH=${#4} \
		CONTENT_TYPE=application/json "$dir/spawn" "$1" "$5" "$4" |
		cut -d' ' -f1
}
statistics='{"user_id":1,"start_date":"2026-01-01","end_date":"2026-01-02"}'
message='{"inputs":{},"query":"Who are you?","user":"u","response_mode":"blocking"}'
chat='{"bot_slug":"demo","stream":false,"prompt":"Who are you?"}'
rows="health|GET|/health-check|
bots|GET|/v1/bots|
refusal (422)|POST|/v1/chat|{}
statistics (reads a row)|POST|/v1/user/usage-statistics|$statistics
chat (stores its usage)|POST|/v1/chat|$chat"

# Once each, to make the store and to fill the page cache.
echo "$rows" | while IFS='|' read -r _ method uri body; do
	measure "$build/parlance.cgi" "$method" "$uri" "$body" 20 >/dev/null
done
printf '%-28s %10s %10s %8s\n' "CGI request" "floor us" "ours us" "times"
{
	echo "$rows"
	echo "the same, floor syncs too|POST|/v1/chat|$chat"
	echo "chat, durable = no|POST|/v1/chat|$chat"
	echo "message (a conversation)|POST|/v1/chat-messages|$message"
	echo "the same, floor syncs too|POST|/v1/chat-messages|$message"
	echo "message, durable = no|POST|/v1/chat-messages|$message"
} | while IFS='|' read -r name method uri body; do
	unset PARLANCE_SERVER_DURABLE FLOOR_KEEPS
	case $name in
	*durable*) export PARLANCE_SERVER_DURABLE=no ;;
	*syncs*) export FLOOR_KEEPS="$dir/kept" ;;
	esac
	for _ in 1 2 3 4 5; do
		f=$(measure "$dir/floor" "$method" "$uri" "$body" 200)
		o=$(measure "$build/parlance.cgi" "$method" "$uri" "$body" 200)
		echo "$f $o"
	done | awk -v name="$name" '{ f += $1; o += $2 } END {
		printf "%-28s %10.1f %10.1f %8.2f\n", name, f / NR, o / NR, o / f }'
done
