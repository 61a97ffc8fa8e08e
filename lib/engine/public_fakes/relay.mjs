/* openai-api-mock answers the calls that its own process makes to OpenAI:
 * here each call of a client is made again, and answered by it. */
import http from 'node:http';
import https from 'node:https';
import { mockOpenAIResponse } from 'openai-api-mock';

mockOpenAIResponse(true, { seed: 1, useFixedResponses: true });

http.createServer((request, reply) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', () => {
    const call = https.request(
      'https://api.openai.com' + request.url,
      { method: request.method, headers: {
        'content-type': 'application/json',
        authorization: request.headers.authorization ?? '' } },
      (answer) => {
        const { 'content-length': length, ...headers } = answer.headers;
        reply.writeHead(answer.statusCode, headers);
        answer.pipe(reply);
      });
    call.on('error', () => reply.destroy());
    call.end(Buffer.concat(chunks));
  });
}).listen(Number(process.env.PORT), process.env.HOST);
