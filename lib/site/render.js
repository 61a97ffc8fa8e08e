// Answers as nodes.  Whatever a model says, a page only ever gets text nodes
// below elements that stand in this file: nothing is parsed as HTML, nothing
// is loaded, and the one attribute that comes from an answer is the address of
// a link, of http or https as the browser itself parses it.
//
// Blocks: paragraphs, lists, tables, code, headings (as bold paragraphs).
// Within them: bold, italic, code, links.  Everything else stays as written.
const NODES_MAX = 20000;	// of one answer; what follows is plain text
const REACH = 4000;		// how far the end of a mark is looked for
const DEPTH_MAX = 6;

// Marks that turn text around to the end of its block, or past it.
const TURNING = /[\u202a-\u202e\u2066-\u2069]/g;

function element(name, className, parent) {
	const node = document.createElement(name);
	if (className)
		node.className = className;
	if (parent)
		parent.appendChild(node);
	return node;
}

// The address of a link, or null when it is no link for a visitor.
function linkAddress(text) {
	if (text.length > 2000 || !/^https?:\/\/[^\s\\]+$/i.test(text))
		return null;
	try {
		const url = new URL(text);
		return /^https?:$/.test(url.protocol) && url.hostname !== "" ? url : null;
	} catch (e) {
		return null;
	}
}

// What shows where a link leads; false: its text says just that already.
function linkHost(url, label) {
	const user = url.username || url.password ? url.username + (url.password ? ":" + url.password : "") + "@" : "";
	const odd = user !== "" || /(^|\.)xn--/.test(url.hostname);
	const same = label === url.href || label + "/" === url.href || label === url.host;
	return !odd && same ? null : { text: user + url.host, odd: odd };
}

function addLink(parent, url, label) {
	const a = element("a", "", parent);
	a.href = url.href;
	a.target = "_blank";
	a.rel = "noopener noreferrer nofollow";
	element("bdi", "", a).textContent = label;
	const host = linkHost(url, label);
	if (host) {
		const note = element("bdi", host.odd ? "host odd" : "host", a);
		note.textContent = " (" + host.text + (host.odd ? ", " + words.odd_link : "") + ")";
	}
	return a;
}

class AnswerView {
	// parent: the element that the answer fills.
	constructor(parent) {
		this.parent = parent;
		this.stable = 0;	// text before it is final
		this.kept = 0;		// blocks that it made
		this.nodes = 0;
		this.keptNodes = 0;
	}

	// The whole answer as far as it has come.  Only its last blocks, which may
	// still grow, are made again.
	show(answer) {
		const text = answer.replace(/\r\n?/g, "\n").replace(/\0/g, "\ufffd").replace(TURNING, "");
		while (this.parent.childNodes.length > this.kept)
			this.parent.lastChild.remove();
		this.nodes = this.keptNodes;
		let at = this.stable;
		for (;;) {
			while (at < text.length && /^[ \t]*$/.test(this.lineAt(text, at)))
				at = this.nextLine(text, at);
			if (at >= text.length)
				break;
			// Two whole lines tell that a block begins here, and which.
			if (this.nextLine(text, this.nextLine(text, at)) < text.length) {
				this.stable = at;
				this.kept = this.parent.childNodes.length;
				this.keptNodes = this.nodes;
			}
			at = this.block(text, at);
		}
	}
	lineAt(text, at) {
		const end = text.indexOf("\n", at);
		return text.slice(at, end < 0 ? text.length : end);
	}
	nextLine(text, at) {
		const end = text.indexOf("\n", at);
		return end < 0 ? text.length : end + 1;
	}
	make(name, parent) {
		this.nodes++;
		const node = element(name, "", parent);
		if (name !== "pre" && name !== "code" && name !== "strong" && name !== "em")
			node.dir = "auto";
		return node;
	}

	// Makes the block that begins at a line; gives where the next one does.
	block(text, at) {
		const line = this.lineAt(text, at);
		const fence = /^ {0,3}(`{3,}|~{3,})[^`]*$/.exec(line);
		if (this.nodes > NODES_MAX) {
			this.make("p", this.parent).textContent = text.slice(at);
			return text.length;
		}
		if (fence)
			return this.codeBlock(text, this.nextLine(text, at), fence[1]);
		if (listItem(line))
			return this.list(text, at);
		if (line.includes("|") && delimiterRow(this.lineAt(text, this.nextLine(text, at))))
			return this.table(text, at);
		const heading = /^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*$/.exec(line);
		if (heading) {
			const p = this.make("p", this.parent);
			this.inline(this.make("strong", p), heading[1], 1);
			return this.nextLine(text, at);
		}
		if (line.length < 80 && /^ {0,3}([-*_])( *\1){2,} *$/.test(line)) {
			this.make("hr", this.parent);
			return this.nextLine(text, at);
		}
		return this.paragraph(text, at);
	}
	paragraph(text, at) {
		let end = this.nextLine(text, at);
		while (end < text.length) {
			const line = this.lineAt(text, end);
			if (/^[ \t]*$/.test(line) || listItem(line) || /^ {0,3}(```|~~~|#{1,6}[ \t])/.test(line) || line.includes("|") && delimiterRow(this.lineAt(text, this.nextLine(text, end))))
				break;
			end = this.nextLine(text, end);
		}
		this.inline(this.make("p", this.parent), text.slice(at, end).replace(/\n$/, ""), 0);
		return end;
	}
	codeBlock(text, at, fence) {
		let end = at;
		let next = at;
		while (end < text.length) {
			const line = this.lineAt(text, end).trim();
			next = this.nextLine(text, end);
			if (line.length >= fence.length && line === fence[0].repeat(line.length))
				break;
			end = next;
		}
		const pre = this.make("pre", this.parent);
		pre.tabIndex = 0;	// it scrolls, so it must be reached by keys
		this.make("code", pre).textContent = text.slice(at, end).replace(/\n$/, "");
		return Math.max(next, end);
	}
	list(text, at) {
		const open = [];	// the lists that are open, outermost first
		let item = null;
		while (at < text.length) {
			const line = this.lineAt(text, at);
			const found = listItem(line);
			if (found && this.nodes < NODES_MAX) {
				while (open.length > 0 && found.indent < open[open.length - 1].indent)
					open.pop();
				let top = open[open.length - 1];
				if (!top || found.indent > top.indent + 1 && open.length < DEPTH_MAX) {
					const inside = top && top.list.lastChild;
					top = { indent: found.indent, list: this.make(found.number === null ? "ul" : "ol", inside || this.parent) };
					if (found.number !== null)
						top.list.start = found.number;
					open.push(top);
				}
				item = this.make("li", top.list);
				this.inline(item, found.text, 0);
			} else if (/^[ \t]*$/.test(line)) {
				const after = this.lineAt(text, this.nextLine(text, at));
				if (!listItem(after) && !/^\s{2,}\S/.test(after))
					return this.nextLine(text, at);
			} else if (item && (/^\s/.test(line) || !/^(```|~~~|#)/.test(line)) && this.nodes < NODES_MAX) {
				item.appendChild(document.createTextNode("\n"));
				this.inline(item, line.trim(), 0);
			} else {
				return at;
			}
			at = this.nextLine(text, at);
		}
		return at;
	}
	table(text, at) {
		const box = this.make("div", this.parent);
		box.className = "table";
		box.tabIndex = 0;
		const table = this.make("table", box);
		const head = cells(this.lineAt(text, at));
		this.row(this.make("thead", table), "th", head, head.length);
		at = this.nextLine(text, this.nextLine(text, at));
		const body = this.make("tbody", table);
		while (at < text.length && this.nodes < NODES_MAX) {
			const line = this.lineAt(text, at);
			if (!line.includes("|"))
				break;
			this.row(body, "td", cells(line), head.length);
			at = this.nextLine(text, at);
		}
		return at;
	}
	row(parent, name, values, count) {
		const tr = this.make("tr", parent);
		for (let i = 0; i < count; i++)
			this.inline(this.make(name, tr), values[i] || "", 0);
	}

	// Text with marks, below an element.
	inline(parent, text, depth) {
		let plain = 0;		// where text begins that has no node yet
		let i = 0;
		const flush = (end) => {
			if (end > plain)
				parent.appendChild(document.createTextNode(text.slice(plain, end)));
		};
		while (i < text.length) {
			const mark = depth < DEPTH_MAX && this.nodes < NODES_MAX ? this.mark(text, i, depth) : null;
			if (!mark) {
				i++;
				continue;
			}
			flush(i);
			if (mark.node)
				parent.appendChild(mark.node);
			plain = mark.plain === undefined ? mark.end : mark.plain;
			i = mark.end;
		}
		flush(text.length);
	}
	// The mark at text[i], or null: { node, end }.
	mark(text, i, depth) {
		switch (text[i]) {
		case "\\":
			return /^[!-\/:-@\[-`{-~]$/.test(text[i + 1] || "") ? { node: null, plain: i + 1, end: i + 2 } : null;
		case "`":
			return this.codeMark(text, i);
		case "*":
		case "_":
			return this.emphasis(text, i, depth);
		case "!":
			return text[i + 1] === "[" ? this.linkMark(text, i + 1) : null;
		case "[":
			return this.linkMark(text, i);
		case "<": {
			const found = /^<(https?:\/\/[^\s<>]+)>/i.exec(text.slice(i, i + 2100));
			return found ? this.bareLink(found[1], i + found[0].length) : null;
		}
		case "h":
		case "H": {
			if (i > 0 && /[\p{L}\p{N}]/u.test(text[i - 1]))
				return null;
			const found = /^https?:\/\/[^\s<>"`]+/i.exec(text.slice(i, i + 2100));
			if (!found)
				return null;
			let address = found[0].replace(/[.,;:!?'*_~\u3002\uff0c]+$/, "");
			while (/[)\]]$/.test(address) && address.split(/[([]/).length < address.split(/[)\]]/).length)
				address = address.slice(0, -1);
			return this.bareLink(address, i + address.length);
		}
		}
		return null;
	}
	bareLink(address, end) {
		const url = linkAddress(address);
		this.nodes += 3;
		return url && { node: addLink(null, url, address), end: end };
	}
	codeMark(text, i) {
		let run = 1;
		while (text[i + run] === "`")
			run++;
		const ticks = "`".repeat(run);
		const reach = text.slice(i + run, i + run + REACH);
		let end = reach.indexOf(ticks);
		while (end >= 0 && reach[end + run] === "`") {
			while (reach[end] === "`")
				end++;
			end = reach.indexOf(ticks, end);
		}
		if (end <= 0)
			return { node: document.createTextNode(ticks), end: i + run };
		const node = this.make("code", null);
		node.textContent = reach.slice(0, end);
		return { node: node, end: i + run + end + run };
	}
	emphasis(text, i, depth) {
		const c = text[i];
		const run = text[i + 1] === c ? 2 : 1;
		const from = i + run;
		if (/^[\s*_]?$/.test(text[from] || "") || c === "_" && i > 0 && /[\p{L}\p{N}]/u.test(text[i - 1]))
			return text[from] === c ? this.runOf(text, i) : null;
		const reach = text.slice(from, from + REACH);
		const mark = c.repeat(run);
		for (let end = reach.indexOf(mark); end > 0; end = reach.indexOf(mark, end + run)) {
			if (/\s/.test(reach[end - 1]) || run === 1 && (reach[end + 1] === c || reach[end - 1] === c) || c === "_" && /[\p{L}\p{N}]/u.test(reach[end + run] || ""))
				continue;
			const node = this.make(run === 2 ? "strong" : "em", null);
			this.inline(node, reach.slice(0, end), depth + 1);
			return { node: node, end: from + end + run };
		}
		return null;
	}
	// A run of one mark that means nothing: skipped whole.
	runOf(text, i) {
		let end = i;
		while (text[end] === text[i])
			end++;
		return { node: document.createTextNode(text.slice(i, end)), end: end };
	}
	linkMark(text, i) {
		const close = text.slice(i, i + REACH).indexOf("](");
		if (close < 1)
			return null;
		const found = /^\s*<?([^\s<>]+?)>?(?:\s+["'(][^\n]{0,300}?["')])?\s*\)/.exec(text.slice(i + close + 2, i + close + 2400));
		const url = found && linkAddress(found[1]);
		if (!url)
			return null;
		this.nodes += 3;
		const label = text.slice(i + 1, i + close).replace(/[*_`]/g, "").trim();
		return { node: addLink(null, url, label || url.host), end: i + close + 2 + found[0].length };
	}
}

// { indent, number, text } of a line that is an item of a list, else null.
function listItem(line) {
	const found = /^([ \t]*)(?:[-*+\u2022]|(\d{1,9})[.)])[ \t]+(\S.*)$/.exec(line);
	if (!found || /^[ \t]*([-*_])( *\1){2,} *$/.test(line))
		return null;
	return { indent: found[1].replace(/\t/g, "    ").length, number: found[2] === undefined ? null : Number(found[2]), text: found[3] };
}
function delimiterRow(line) {
	return line.length < 1000 && line.includes("-") && line.includes("|") && /^[\s|:-]+$/.test(line);
}
function cells(line) {
	const row = line.trim().replace(/^\|/, "").replace(/\|$/, "");
	return row.replace(/\\\|/g, "\0").split("|").slice(0, 30).map((c) => c.replace(/\0/g, "|").trim());
}
