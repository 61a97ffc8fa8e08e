#!/bin/sh
# openai-api-mock 0.4.0 (npm), a fake of OpenAI's chat completions.
#
# Guess: a fake whose streams an OpenAI client is tested with ends them as the
# original does: a chunk with a finish_reason, then [DONE], under
# Content-Type: text/event-stream.
# Seen: finish_reason is null in every chunk, and there is no Content-Type at
# all; [DONE] alone ends the stream.  A client that waits for a finish reason,
# or believes the media type, takes a whole answer for a broken one.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{"private": true, "type": "module"}' >package.json
npm install --no-audit --no-fund --no-save --ignore-scripts --silent \
	openai-api-mock@0.4.0
cat >ask.mjs <<'END'
import https from 'node:https';
import { mockOpenAIResponse } from 'openai-api-mock';

mockOpenAIResponse(true, { seed: 1, useFixedResponses: true });
const call = https.request('https://api.openai.com/v1/chat/completions', {
  method: 'POST',
  headers: { 'content-type': 'application/json', authorization: 'Bearer k' },
}, (reply) => {
  let text = '';
  reply.on('data', (chunk) => { text += chunk; });
  reply.on('end', () => {
    const lines = text.split('\n').filter((l) => l.startsWith('data: '));
    const chunks = lines.filter((l) => l !== 'data: [DONE]')
      .map((l) => JSON.parse(l.slice(6)));
    console.log('status', reply.statusCode);
    console.log('content-type', reply.headers['content-type'] ?? 'none');
    console.log('finish reasons', JSON.stringify([...new Set(
      chunks.flatMap((c) => c.choices.map((x) => x.finish_reason ?? null)))]));
    console.log('last', lines.at(-1));
  });
});
call.end(JSON.stringify({ model: 'gpt-4', stream: true,
  messages: [{ role: 'user', content: 'Say hello.' }] }));
END
node ask.mjs >seen
cat seen
diff - seen <<'END' || { echo "this has changed" >&2; exit 1; }
status 200
content-type none
finish reasons [null]
last data: [DONE]
END
