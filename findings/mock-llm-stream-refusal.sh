#!/bin/sh
# @dwmkerr/mock-llm 0.1.29 (npm), a fake server of OpenAI's API.
#
# Guess: a rule that answers with status 401 or 429 does so whether the client
# asked for a stream or not, as OpenAI does: a refusal comes before any event.
# Seen: asked for a stream, the server sends 200 and text/event-stream, and the
# refusal is an event in it.  A client that looks at the status alone takes a
# refused call for an answer without text.
set -eu
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true}' >package.json
npm install --no-audit --no-fund --no-save --ignore-scripts --silent \
	@dwmkerr/mock-llm@0.1.29
cat >mock-llm.yaml <<'END'
rules:
  - path: "/v1/chat/completions"
    match: "@"
    response:
      status: 429
      content: |
        {"error": {"message": "Slow down.", "type": "rate_limit_error",
         "code": "rate_limit_exceeded"}}
END
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1",
	() => { console.log(s.address().port); s.close(); })')
PORT=$port HOST=127.0.0.1 node_modules/.bin/mock-llm \
	>log 2>&1 &
server=$!
ask() {
	curl -s -o body -w '%{http_code} %{content_type}\n' \
		"http://127.0.0.1:$port/v1/chat/completions" \
		-H 'Content-Type: application/json' -d '{"model": "gpt-4",
		"stream": '"$1"', "messages": [{"role": "user", "content": "Hi"}]}'
}
n=0
until ask false >/dev/null 2>&1; do
	n=$((n + 1))
	[ $n -lt 100 ] || { cat log >&2; exit 1; }
	sleep 0.2
done
{
	echo "no stream: $(ask false | sed 's/;.*//')"
	echo "a stream: $(ask true | sed 's/;.*//')"
	grep -c 'rate_limit_exceeded' body
} >seen
cat seen
diff - seen <<'END' || { echo "this has changed" >&2; cat body; exit 1; }
no stream: 429 application/json
a stream: 200 text/event-stream
1
END
