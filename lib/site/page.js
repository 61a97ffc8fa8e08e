// The page itself: what a visitor asks goes to the address of this page and
// nowhere else, and comes back as the events of a stream.
const settings = JSON.parse(document.getElementById("settings").textContent);
const words = settings.words;
const byId = (id) => document.getElementById(id);
const log = byId("log"), form = byId("form"), question = byId("question");
const here = location.pathname.replace(/\/+$/, "");
const framed = window.parent !== window;
const parentOrigin = framed ? originOfParent() : "";

// What says who is asking, and which conversation goes on.  It lies in the
// browser as long as the site says, or in memory where storage is refused.
let memory = { visitor: "", conversation: "", until: 0 };
let turn = null;		// the answer that is coming
let following = true;		// the log shows its end

function say(name, values) {
	return (words[name] || words.failed).replace(/\{(\w+)\}/g, (all, key) => values && key in values ? values[key] : all);
}

// ---- what is kept ----------------------------------------------------------

function storage() {
	try {
		return settings.remember > 0 ? window.localStorage : window.sessionStorage;
	} catch (e) {
		return null;
	}
}
function recall() {
	try {
		const kept = JSON.parse(storage().getItem("parlance:" + here));
		if (kept && typeof kept.visitor === "string" && typeof kept.conversation === "string" && kept.until > Date.now())
			memory = kept;
	} catch (e) {
		// Nothing kept, or refused: memory does.
	}
}
function keep(changes) {
	Object.assign(memory, changes);
	memory.until = Date.now() + (settings.remember || 24) * 3600000;
	try {
		storage().setItem("parlance:" + here, JSON.stringify(memory));
	} catch (e) {
		// Refused: memory does, as long as the page is open.
	}
}
function forget() {
	memory = { visitor: "", conversation: "", until: 0 };
	try {
		storage().removeItem("parlance:" + here);
	} catch (e) {
		// Nothing was kept.
	}
}

// ---- asking the server -----------------------------------------------------

function send(method, path, body) {
	const headers = {};
	if (memory.visitor)
		headers["X-Parlance-Visitor"] = memory.visitor;
	if (body !== undefined)
		headers["Content-Type"] = "application/json";
	return fetch(here + path, { method: method, headers: headers, body: body && JSON.stringify(body), cache: "no-store", credentials: "omit", redirect: "error", signal: method === "POST" && path === "/messages" ? turn.abort.signal : undefined });
}
function visitorOf(reply) {
	const visitor = reply.headers.get("X-Parlance-Visitor");
	if (visitor)
		keep({ visitor: visitor });
}
// Why a reply is no answer, in the visitor's words.
async function refusal(reply) {
	let body = {};
	try {
		body = await reply.json();
	} catch (e) {
		// A page of the web server's, perhaps.
	}
	const wait = Number(reply.headers.get("Retry-After")) || 0;
	const name = { "visitor_limit": "limit_visitor", "address_limit": "limit_address", "site_limit": "limit_day", "busy": "busy", "question_too_long": "too_long", "conversation_not_found": "gone", "bot_unavailable": "unavailable", "store_unavailable": "unavailable" }[body.code];
	if (name === "gone")
		keep({ conversation: "" });
	return say(name || (reply.status === 429 ? "busy" : reply.status >= 500 ? "unavailable" : "failed"), { wait: waitText(wait), max: settings.question_length, n: [...question.value].length });
}
function waitText(seconds) {
	const unit = seconds < 120 ? "second" : seconds < 7200 ? "minute" : "hour";
	const n = Math.max(1, Math.ceil(seconds / { second: 1, minute: 60, hour: 3600 }[unit]));
	try {
		return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit: unit, unitDisplay: "long" }).format(n);
	} catch (e) {
		return n + " " + unit;
	}
}

// ---- messages --------------------------------------------------------------

function message(who, className) {
	const box = element("div", "message " + className, log);
	const inner = element("div", "bubble", box);
	element("span", "unseen", inner).textContent = who + ": ";
	return { box: box, inner: inner, text: element("div", "text", inner) };
}
function showQuestion(text) {
	const shown = message(words.you, "you");
	shown.text.dir = "auto";
	shown.text.textContent = text;
}
function showAnswer(text) {
	const shown = message(settings.title, "bot");
	shown.view = new AnswerView(shown.text);
	shown.view.show(text);
	return shown;
}
function note(shown, text) {
	const p = element("p", "note", shown.inner);
	p.dir = "auto";
	p.textContent = text;
	return p;
}
// The owner's own words for where else to ask; an address in them is a link.
function contact(parent) {
	if (!settings.contact)
		return;
	const p = element("p", "note", parent);
	p.dir = "auto";
	p.append(words.contact + " ");
	for (const part of settings.contact.split(/(\s+)/)) {
		const url = linkAddress(part);
		if (url) {
			const a = element("a", "", p);
			a.href = url.href;
			a.target = "_blank";
			a.rel = "noopener noreferrer";
			a.textContent = part;
		} else if (/^[^\s@:<>]+@[^\s@:<>]+\.[a-z]{2,}$/i.test(part)) {
			const a = element("a", "", p);
			a.href = "mailto:" + part;
			a.textContent = part;
		} else {
			p.append(part);
		}
	}
}
function problem(text, asked) {
	const shown = message(settings.title, "problem");
	const p = element("p", "", shown.text);
	p.dir = "auto";
	p.textContent = text;
	contact(shown.text);
	if (asked !== undefined) {
		const again = element("button", "again", shown.inner);
		again.type = "button";
		again.textContent = words.retry;
		again.onclick = () => {
			if (turn)
				return;
			shown.box.remove();
			ask(asked, true);
		};
	}
	announce(text);
}
// Where an answer was found; the same text named twice stands once.
function sources(shown, resources) {
	const seen = new Set();
	const list = (Array.isArray(resources) ? resources : []).filter((r) => r && typeof r.document_name === "string" && !seen.has(r.document_name) && seen.add(r.document_name));
	if (list.length === 0)
		return;
	const details = element("details", "", shown.box);
	element("summary", "", details).textContent = words.sources + " (" + list.length + ")";
	const ol = element("ol", "", details);
	for (const r of list) {
		const li = element("li", "", ol);
		const url = typeof r.url === "string" ? linkAddress(r.url) : null;
		if (url)
			addLink(li, url, r.document_name);
		else
			element("bdi", "", li).textContent = r.document_name;
		if (typeof r.content === "string" && r.content) {
			const quote = element("blockquote", "", li);
			quote.dir = "auto";
			quote.textContent = r.content.slice(0, 600);
		}
	}
}
const THUMB = "M7 11v9H4v-9zM7 11l4-8c2 0 3 1 3 3v4h5c1 0 2 1 2 2l-2 7c0 1-1 1-2 1H7";
function rating(shown, id, given) {
	const box = element("div", "rate", shown.box);
	const buttons = ["like", "dislike"].map((value) => {
		const button = element("button", "icon", box);
		button.type = "button";
		button.title = value === "like" ? words.good : words.bad;
		button.setAttribute("aria-label", button.title);
		const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
		svg.setAttribute("viewBox", "0 0 24 24");
		svg.setAttribute("aria-hidden", "true");
		const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
		path.setAttribute("d", THUMB);
		if (value === "dislike")
			path.setAttribute("transform", "rotate(180 12 12)");
		svg.appendChild(path);
		button.appendChild(svg);
		button.onclick = async () => {
			const before = given;
			given = given === value ? null : value;
			draw();
			try {
				const reply = await send("POST", "/feedback", { message_id: id, rating: given });
				if (!reply.ok)
					throw new Error();
				announce(words.thanks);
			} catch (e) {
				given = before;
				draw();
				announce(words.failed);
			}
		};
		return { button: button, value: value };
	});
	function draw() {
		for (const b of buttons)
			b.button.setAttribute("aria-pressed", String(b.value === given));
	}
	draw();
}
function announce(text) {
	const status = byId("status");
	status.textContent = "";
	setTimeout(() => { status.textContent = text; }, 50);
}
function follow() {
	if (following)
		log.scrollTop = log.scrollHeight;
	byId("newest").hidden = following;
}
function greet() {
	if (settings.greeting)
		showAnswer(settings.greeting);
	if (settings.suggested.length > 0) {
		const box = element("div", "chips", log);
		box.id = "chips";
		for (const text of settings.suggested) {
			const button = element("button", "", box);
			button.type = "button";
			button.dir = "auto";
			button.textContent = text;
			button.onclick = () => ask(text);
		}
	}
}
function clear() {
	if (turn)
		turn.abort.abort();
	turn = null;
	log.textContent = "";
	following = true;
	greet();
	state();
}
// Which of the buttons there is something for.
function state() {
	const any = memory.conversation !== "" || log.querySelector(".you, .problem") !== null;
	byId("fresh").hidden = !any;
	byId("delete").hidden = !memory.visitor;
	byId("stop").hidden = turn === null;
	byId("send").hidden = turn !== null;
	log.setAttribute("aria-busy", String(turn !== null));
	count();
}
function count() {
	const n = [...question.value].length;
	const bad = n > settings.question_length;
	const p = byId("count");
	p.textContent = bad ? say("too_long", { n: n, max: settings.question_length }) : "";
	p.className = bad ? "bad" : "";
	if (bad)
		question.setAttribute("aria-invalid", "true");
	else
		question.removeAttribute("aria-invalid");
	byId("send").disabled = bad || question.value.trim() === "";
}

// ---- one turn --------------------------------------------------------------

async function ask(text, again) {
	if (turn || text.trim() === "")
		return;
	byId("chips")?.remove();
	if (!again)
		showQuestion(text);
	const mine = turn = { abort: new AbortController(), task: "", text: "", ended: false, error: false, stopped: false, shown: null, drawn: 0, resources: [] };
	const shown = mine.shown = showAnswer("");
	const dots = element("div", "dots", shown.inner);
	for (let i = 0; i < 3; i++)
		element("i", "", dots);
	mine.dots = dots;
	following = true;
	state();
	follow();
	announce(words.working);
	let reason = "";
	try {
		const reply = await send("POST", "/messages", { question: text, conversation_id: memory.conversation || null });
		visitorOf(reply);
		if (!reply.ok)
			reason = await refusal(reply);
		else if (!/^text\/event-stream\b/i.test(reply.headers.get("Content-Type") || ""))
			reason = words.failed;
		else
			await receive(mine, reply);
	} catch (e) {
		reason = mine.text ? words.broken : words.offline;
	}
	if (turn !== mine)
		return;		// a new chat has begun meanwhile
	turn = null;
	finish(mine, text, reason);
}
async function receive(mine, reply) {
	const events = new EventReader((event) => took(mine, event));
	const reader = reply.body.getReader();
	for (;;) {
		const piece = await reader.read();
		if (piece.done || mine.ended)
			break;
		events.feed(piece.value);
		if (mine.ended || turn !== mine)
			break;
	}
	reader.cancel().catch(() => {});
}
function took(mine, event) {
	if (event.name === "ping" || event.data === "" || mine.ended || turn !== mine)
		return;
	const data = JSON.parse(event.data);
	if (typeof data.conversation_id === "string" && data.conversation_id && memory.conversation !== data.conversation_id)
		keep({ conversation: data.conversation_id });
	if (typeof data.task_id === "string")
		mine.task = data.task_id;
	if (typeof data.message_id === "string")
		mine.id = data.message_id;
	if (data.event === "message" && typeof data.answer === "string") {
		mine.text += data.answer;
		draw(mine);
	} else if (data.event === "message_replace" && typeof data.answer === "string") {
		mine.text = data.answer;
		mine.shown.view = new AnswerView(mine.shown.text);
		mine.shown.text.textContent = "";
		draw(mine);
	} else if (data.event === "message_end") {
		mine.resources = data.metadata && data.metadata.retriever_resources;
		mine.ended = true;
	} else if (data.event === "error") {
		mine.error = true;
		mine.ended = true;
	}
}
// The first words at once; then as often as the screen is drawn.
function draw(mine) {
	if (!mine.text)
		return;
	if (mine.drawn === 0) {
		drawNow(mine);
	} else if (!mine.waiting) {
		mine.waiting = true;
		const later = () => {
			if (mine.waiting)
				drawNow(mine);
		};
		if (document.hidden)
			setTimeout(later, 500);
		else
			requestAnimationFrame(later);
	}
}
function drawNow(mine) {
	mine.waiting = false;
	mine.drawn++;
	mine.shown.view.show(mine.text);
	follow();
}
function finish(mine, text, reason) {
	mine.dots.remove();
	mine.waiting = false;
	if (mine.text)
		mine.shown.view.show(mine.text);
	else
		mine.shown.box.remove();
	if (mine.stopped) {
		if (mine.text)
			note(mine.shown, words.stopped);
		announce(words.stopped);
	} else if (reason || !mine.ended || mine.error) {
		problem(reason || (mine.text ? words.broken : words.failed), text);
	} else if (mine.text) {
		announce(mine.shown.text.textContent);
	} else {
		problem(words.failed, text);
	}
	if (mine.text && mine.id && mine.ended && !mine.error) {
		sources(mine.shown, mine.resources);
		rating(mine.shown, mine.id, null);
	}
	state();
	follow();
}
async function stop() {
	const mine = turn;
	if (!mine || mine.stopped)
		return;
	mine.stopped = true;
	question.focus();
	if (!mine.task) {
		mine.abort.abort();
		return;
	}
	// The answer's end is stored and comes by the stream; not for ever.
	setTimeout(() => mine.abort.abort(), 3000);
	send("POST", "/stop", { task_id: mine.task }).catch(() => mine.abort.abort());
}

// ---- the conversation that was, the new one, its end -----------------------

async function restore() {
	if (!memory.conversation)
		return;
	try {
		const reply = await send("GET", "/messages?conversation_id=" + encodeURIComponent(memory.conversation));
		if (reply.status === 404 || reply.status === 403)
			keep({ conversation: "" });
		if (!reply.ok)
			return;
		visitorOf(reply);
		const body = await reply.json();
		if (body.messages.length > 0)
			byId("chips")?.remove();
		for (const m of body.messages) {
			showQuestion(m.question);
			const shown = showAnswer(m.answer);
			if (!m.answer)
				shown.box.remove();
			if (m.status === "error") {
				problemQuiet(m.answer ? words.broken : words.failed);
			} else if (m.answer) {
				sources(shown, m.citations);
				rating(shown, m.id, m.rating);
			}
		}
	} catch (e) {
		// The page works without what was said before.
	}
	state();
	follow();
}
function problemQuiet(text) {
	const shown = message(settings.title, "problem");
	const p = element("p", "", shown.text);
	p.textContent = text;
}
function fresh() {
	keep({ conversation: "" });
	clear();
	question.focus();
}
async function remove() {
	try {
		const reply = await send("DELETE", "/messages");
		if (!reply.ok)
			throw new Error();
		forget();
		clear();
		announce(words.deleted);
	} catch (e) {
		problem(words.failed);
		follow();
	}
	question.focus();
}
function confirmRemoval() {
	const dialog = byId("ask");
	dialog.returnValue = "no";
	dialog.showModal();
	byId("no").focus();
}

// ---- page and frame --------------------------------------------------------

// embed.js names the page that it stands on; only an origin that may frame
// this page counts, and the browser sees to that with frame-ancestors as well.
function originOfParent() {
	let origin = "";
	try {
		origin = new URL(decodeURIComponent(location.hash.slice(1))).origin;
	} catch (e) {
		return "";
	}
	return origin === location.origin || settings.origins.includes(origin) ? origin : "";
}
function tell(what) {
	if (parentOrigin)
		window.parent.postMessage({ parlance: what, color: settings.color }, parentOrigin);
}
window.addEventListener("message", (event) => {
	if (!parentOrigin || event.source !== window.parent || event.origin !== parentOrigin || !event.data)
		return;
	if (event.data.parlance === "opened") {
		follow();
		question.focus();
	}
});

// ---- setting up ------------------------------------------------------------

// Black or white, whichever is read better on a colour; one always passes 4.5.
function readableOn(color) {
	const part = (i) => {
		const c = parseInt(color.slice(i, i + 2), 16) / 255;
		return c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
	};
	return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) > 0.179 ? "#000000" : "#ffffff";
}
function label(id, name) {
	byId(id).title = words[name];
	byId(id).setAttribute("aria-label", words[name]);
}
if (/^#[0-9a-f]{6}$/i.test(settings.color)) {
	const root = document.styleSheets[0].cssRules[0].style;
	root.setProperty("--color", settings.color);
	root.setProperty("--on-color", readableOn(settings.color));
}
label("fresh", "new_chat");
label("delete", "delete");
label("close", "close");
label("send", "send");
label("stop", "stop");
log.setAttribute("aria-label", settings.title);
form.querySelector("label").textContent = words.question;
byId("newest").textContent = words.newest;
byId("ask-text").textContent = words.delete_ask;
byId("yes").textContent = words.delete;
byId("no").textContent = words.cancel;
if (linkAddress(settings.privacy_url)) {
	const a = element("a", "", byId("footer"));
	a.href = settings.privacy_url;
	a.target = "_blank";
	a.rel = "noopener noreferrer";
	a.textContent = words.privacy;
	byId("footer").hidden = false;
}
byId("close").hidden = !parentOrigin;
form.hidden = false;

form.addEventListener("submit", (event) => {
	event.preventDefault();
	const text = question.value;
	if (turn || byId("send").disabled)
		return;
	question.value = "";
	ask(text);
	question.focus();
});
question.addEventListener("keydown", (event) => {
	// Enter that ends a word of an input method is none of ours.
	if (event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229) {
		event.preventDefault();
		form.requestSubmit();
	}
});
question.addEventListener("input", count);
document.addEventListener("keydown", (event) => {
	if (event.key === "Escape" && !byId("ask").open) {
		if (turn)
			stop();
		else
			tell("close");
	}
});
log.addEventListener("scroll", () => {
	following = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
	byId("newest").hidden = following;
}, { passive: true });
byId("newest").onclick = () => {
	following = true;
	follow();
	question.focus();
};
byId("stop").onclick = stop;
byId("fresh").onclick = fresh;
byId("delete").onclick = confirmRemoval;
byId("close").onclick = () => tell("close");
byId("ask").addEventListener("close", () => {
	if (byId("ask").returnValue === "yes")
		remove();
	else
		byId("delete").focus();
});

recall();
greet();
state();
restore();
tell("ready");
if (!framed)
	question.focus();
