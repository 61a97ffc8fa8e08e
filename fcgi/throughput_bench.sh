#!/bin/bash
# FastCGI behind lighttpd, as a share of what an empty libfcgi program does
# behind the same lighttpd: `throughput_bench.sh BUILD`.  And the resident
# memory of a worker that waits in a stream.
set -eu
build=$(realpath "${1:?usage: throughput_bench.sh BUILD}")
here=$(realpath "$(dirname "$0")")
dir=$(mktemp -d)
pids=""
stop() {
	# shellcheck disable=SC2086
	[ -z "$pids" ] || kill $pids 2>/dev/null || true
	wait 2>/dev/null || true
	rm -rf "$dir"
}
trap stop EXIT
PATH=$PATH:/usr/sbin
workers=16
cc -O2 -o "$dir/floor" "$here/bench/floor.c" -lfcgi -lpthread
mkdir -m 0700 "$dir/state"
key=$("$build/parlance" key new bench)
token=$(echo "$key" | sed -n 's/^  \(app-.*\)/\1/p')
cat >"$dir/recordings.json" <<'JSON'
{"recordings": [
  {"question": "Hello", "answer": ["Hello", " there", "."]},
  {"question": "Wait", "answer": "Done.", "delay_ms": 60000}]}
JSON
{
	echo "[server]"
	echo "state = $dir/state"
	echo "[engine replay]"
	echo "kind = replay"
	echo "recordings = $dir/recordings.json"
	echo "[bot demo]"
	echo "engine = replay"
	echo "$key" | sed -n '/^\[key/,$p'
} >"$dir/parlance.conf"
export PARLANCE_CONFIG=$dir/parlance.conf

port=$(/usr/bin/python3 -c 'import socket; s = socket.socket()
s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$dir/lighttpd.conf" <<CONF
server.document-root = "$dir"
server.bind = "127.0.0.1"
server.port = $port
server.modules = ( "mod_fastcgi" )
server.errorlog = "$dir/error.log"
server.stream-response-body = 1
\$HTTP["url"] =~ "^/floor" {
  fastcgi.server = ( "/" => (( "socket" => "$dir/floor.sock",
    "check-local" => "disable", "fix-root-scriptname" => "enable" )) )
} else \$HTTP["url"] =~ "^/chat" {
  fastcgi.server = ( "/" => (( "socket" => "$dir/lazy.sock",
    "check-local" => "disable", "fix-root-scriptname" => "enable" )) )
} else {
  fastcgi.server = ( "/" => (( "socket" => "$dir/ours.sock",
    "check-local" => "disable", "fix-root-scriptname" => "enable" )) )
}
CONF
spawn-fcgi -s "$dir/floor.sock" -P "$dir/floor.pid" -- "$dir/floor" $workers \
	>/dev/null
"$build/parlance.fcgi" --socket "$dir/ours.sock" --workers $workers \
	2>"$dir/ours.log" &
ours=$!
# One that does not wait for the disk before it answers.
mkdir -m 0700 "$dir/lazy"
PARLANCE_STATE=$dir/lazy PARLANCE_SERVER_DURABLE=no "$build/parlance.fcgi" \
	--socket "$dir/lazy.sock" --workers $workers 2>>"$dir/ours.log" &
lazy=$!
lighttpd -D -f "$dir/lighttpd.conf" &
pids="$(cat "$dir/floor.pid") $ours $lazy $!"
sleep 1

load() { # NAME PATH BODY: requests a second
	cat >"$dir/$1.lua" <<LUA
wrk.method = "POST"
wrk.body = '$3'
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer $token"
LUA
	wrk -t1 -c16 -d3s -s "$dir/$1.lua" "http://127.0.0.1:$port$2" |
		awk '/Requests\/sec/ { print $2 }'
}
good='{"bot_slug":"demo","stream":false,"prompt":"Hello"}'
measure() {
	echo "$(load floor /floor "$good") $(load refusal /v1/chat '{}') $(load answer /v1/chat "$good") $(load lazy /chat "$good")"
}
measure >/dev/null
for _ in 1 2 3; do measure; done | awk '
	{ f += $1; r += $2; a += $3; l += $4 }
	END {
		printf "%-34s %10s %8s\n", "behind lighttpd, 16 at once", "req/s", "share"
		printf "%-34s %10.0f %8.2f\n", "empty libfcgi program (floor)", f / NR, 1
		printf "%-34s %10.0f %8.2f\n", "refusal (422)", r / NR, r / f
		printf "%-34s %10.0f %8.2f\n", "answer of the replay engine (200)", a / NR, a / f
		printf "%-34s %10.0f %8.2f\n", "the same, durable = no", l / NR, l / f
	}'

/usr/bin/python3 - "$build" "$ours" "$token" "$dir" <<'PY'
import os, socket, subprocess, sys, time
sys.path.insert(0, "conformance/servers")
from deployment import FastCGI
build, _, token, folder = sys.argv[1:]
n = 1000
path = os.path.join(folder, "many.sock")
p = subprocess.Popen([build + "/parlance.fcgi", "--socket", path,
                      "--workers", str(n + 8)], stderr=subprocess.DEVNULL)
try:
    for _ in range(200):
        if os.path.exists(path):
            break
        time.sleep(0.05)
    time.sleep(1)

    def resident():
        for line in open("/proc/%d/status" % p.pid):
            if line.startswith("VmRSS"):
                return int(line.split()[1])
    body = b'{"bot_slug":"demo","stream":true,"prompt":"Wait"}'
    params = {"REQUEST_METHOD": "POST", "REQUEST_URI": "/v1/chat",
              "CONTENT_LENGTH": str(len(body)), "FCGI_ROLE": "RESPONDER",
              "CONTENT_TYPE": "application/json",
              "HTTP_AUTHORIZATION": "Bearer " + token}
    before = resident()
    clients = []
    for _ in range(n):
        c = FastCGI(path)
        c.send(params, body)
        clients.append(c)
    time.sleep(3)
    after = resident()
    print("%d waiting streams: %.1f kB resident each (idle %d kB, then %d kB)"
          % (n, (after - before) / n, before, after))
finally:
    p.kill()  # the streams would hold it for a minute
    p.wait()
PY
