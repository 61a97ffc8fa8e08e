// Drives every method of the npm package dify-client against a deployment:
// node drive.mjs BASE KEY, in a folder where the package is installed.
// Prints one line for each check and "N passed, N failed" at the end.
import {
  BASE_URL, ChatClient, CompletionClient, DifyClient, routes,
} from "dify-client";

const [base, key] = process.argv.slice(2);
const user = "dify-client-" + process.pid;
const question = "What are the specs of the iPhone 13 Pro Max?";
let passed = 0;
let failed = 0;

function check(name, ok, seen) {
  if (ok) {
    passed++;
  } else {
    failed++;
    console.log(`FAILED ${name}: ${JSON.stringify(seen)}`);
  }
}

// The error of a refused call, as a client sees it.
async function refused(name, call, status, code) {
  try {
    const r = await call;
    check(name, false, r.status);
  } catch (e) {
    const d = e.response?.data ?? {};
    check(name, e.response?.status === status && d.code === code &&
      d.status === status && typeof d.message === "string",
    [e.response?.status, d, String(e)]);
  }
}

// All of a stream's bytes, however they were cut.
async function read(stream) {
  const parts = [];
  for await (const part of stream) {
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function events(text) {
  return text.split("\n").filter((l) => l.startsWith("data: "))
    .map((l) => JSON.parse(l.slice(6)));
}

async function about(client) {
  const r = await client.getApplicationParameters(user);
  check("parameters", r.status === 200 &&
    Array.isArray(r.data.user_input_form) &&
    r.data.system_parameters.file_size_limit === 15, r.data);
  check("request id", /^[0-9a-f]{32}$/.test(r.headers["x-request-id"]),
    r.headers);
}

async function talk(client) {
  const first = await client.createChatMessage({}, question, user);
  check("blocking", first.status === 200 &&
    first.data.event === "message" && first.data.mode === "chat" &&
    first.data.id === first.data.message_id &&
    first.data.answer.includes("6.7"), first.data);
  const usage = first.data.metadata.usage;
  check("usage", typeof usage.total_price === "string" &&
    usage.total_tokens === usage.prompt_tokens + usage.completion_tokens &&
    typeof usage.latency === "number", usage);
  check("resources",
    first.data.metadata.retriever_resources[0].position === 1,
    first.data.metadata);
  const id = first.data.conversation_id;
  const streamed = await client.createChatMessage({}, question, user, true,
    id, null);
  check("stream type", streamed.headers["content-type"] ===
    "text/event-stream; charset=utf-8", streamed.headers);
  const seen = events(await read(streamed.data));
  check("stream order", seen.length > 1 &&
    seen.slice(0, -1).every((e) => e.event === "message") &&
    seen.at(-1).event === "message_end", seen.map((e) => e.event));
  check("stream ids", seen.every((e) => e.conversation_id === id &&
    e.message_id === seen[0].message_id), seen[0]);
  const text = seen.slice(0, -1).map((e) => e.answer).join("");
  check("stream text", text.includes("6.7"), text);
  return { id, message: first.data.message_id, text };
}

async function history(client, talked) {
  const all = await client.getConversationMessages(user, talked.id);
  check("messages", all.data.data.length === 2 &&
    all.data.data[0].id === talked.message &&
    all.data.data[1].answer === talked.text.trim() &&
    all.data.has_more === false, all.data);
  const last = await client.getConversationMessages(user, talked.id, null, 1);
  check("messages, a page", last.data.has_more === true &&
    last.data.data.length === 1, last.data);
  const older = await client.getConversationMessages(user, talked.id,
    last.data.data[0].id, 1);
  check("messages, the page before",
    older.data.data[0].id === talked.message, older.data);
  await refused("messages without a conversation",
    client.getConversationMessages(user), 400, "invalid_param");
  const list = await client.getConversations(user, talked.message, 10, false);
  check("conversations", list.data.data.length === 1 &&
    list.data.data[0].id === talked.id, list.data);
  check("title", list.data.data[0].name === question, list.data);
}

async function feedback(client, talked) {
  for (const rating of ["like", "dislike", null]) {
    const r = await client.messageFeedback(talked.message, rating, user);
    check(`feedback ${rating}`, r.data.result === "success", r.data);
  }
  await refused("nothing to revoke",
    client.messageFeedback(talked.message, null, user), 400,
    "invalid_param");
}

async function names(client, talked) {
  let r = await client.renameConversation(talked.id, "Mine", user);
  check("rename", r.data.name === "Mine", r.data);
  r = await client.renameConversation(talked.id, "", user, true);
  check("automatic name", r.data.name === question, r.data);
  r = await client.deleteConversation(talked.id, user);
  check("delete", r.status === 204 && r.data === "", [r.status, r.data]);
  await refused("deleted twice", client.deleteConversation(talked.id, user),
    404, "not_found");
  await refused("talking to a deleted one",
    client.createChatMessage({}, "q", user, false, talked.id), 404,
    "not_found");
}

async function upload(client) {
  const form = new FormData();
  form.append("file", new Blob(["some notes"], { type: "text/plain" }),
    "notes.txt");
  form.append("user", user);
  const r = await client.fileUpload(form);
  check("upload", r.status === 201 && r.data.size === 10 &&
    r.data.extension === "txt", r.data);
  return r.data.id;
}

async function refusals(client) {
  await refused("no user", client.createChatMessage({}, "q", ""), 400,
    "invalid_param");
  await refused("empty query", client.createChatMessage({}, "", user), 400,
    "invalid_param");
  try {
    await client.createChatMessage({}, "", user, true);
    check("a stream that is refused", false, "200");
  } catch (e) {
    const d = JSON.parse(await read(e.response.data));
    check("a stream that is refused", e.response.status === 400 &&
      d.code === "invalid_param", d);
  }
  client.updateApiKey("wrong");
  await refused("wrong key", client.getApplicationParameters(user), 401,
    "unauthorized");
  client.updateApiKey(key);
  const completion = new CompletionClient(key, base);
  await refused("completion", completion.createCompletionMessage({}, user),
    400, "app_unavailable");
  await refused("workflow", completion.runWorkflow({}, user), 400,
    "not_workflow_app");
}

const client = new ChatClient(key, base);
check("exports", BASE_URL.endsWith("/v1") &&
  client instanceof DifyClient && Object.keys(routes).length === 10,
Object.keys(routes));
await about(client);
const talked = await talk(client);
await history(client, talked);
await feedback(client, talked);
const file = await upload(client);
const withFile = await client.createChatMessage({}, "q", user, false, null,
  [{ type: "document", transfer_method: "local_file",
    upload_file_id: file }]);
check("a message with a file", withFile.status === 200, withFile.data);
await names(client, talked);
await refusals(client);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
