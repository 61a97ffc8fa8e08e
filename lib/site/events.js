"use strict";
// The events of a stream.  feed() takes its bytes in pieces that may end
// anywhere: within a character, a line or a pair of CR and LF.  Each event
// that is complete is handed on as { name, data }; one that the end of the
// stream cuts is dropped, as the standard of event streams has it.
const EVENT_MAX = 4000000;

class EventReader {
	constructor(take) {
		this.take = take;
		this.decoder = new TextDecoder();
		this.line = "";
		this.skipLf = false;
		this.name = "";
		this.data = null;
	}
	feed(bytes) {
		this.read(this.decoder.decode(bytes, { stream: true }));
	}
	read(text) {
		let start = 0;
		if (this.skipLf && text !== "") {
			this.skipLf = false;
			if (text[0] === "\n")
				start = 1;
		}
		for (let i = start; i < text.length; i++) {
			const c = text.charCodeAt(i);
			if (c !== 10 && c !== 13)
				continue;
			const line = this.line + text.slice(start, i);
			this.line = "";
			if (c === 13) {
				if (i + 1 === text.length)
					this.skipLf = true;
				else if (text.charCodeAt(i + 1) === 10)
					i++;
			}
			start = i + 1;
			this.lineDone(line);
		}
		this.line += text.slice(start);
		if (this.line.length > EVENT_MAX)
			throw new Error("event too long");
	}
	lineDone(line) {
		if (line === "") {
			if (this.data !== null)
				this.take({ name: this.name, data: this.data });
			this.name = "";
			this.data = null;
			return;
		}
		const colon = line.indexOf(":");
		const field = colon < 0 ? line : line.slice(0, colon);
		let value = colon < 0 ? "" : line.slice(colon + 1);
		if (value[0] === " ")
			value = value.slice(1);
		if (field === "event")
			this.name = value;
		else if (field === "data")
			this.data = this.data === null ? value : this.data + "\n" + value;
		if (this.data !== null && this.data.length > EVENT_MAX)
			throw new Error("event too long");
	}
}
