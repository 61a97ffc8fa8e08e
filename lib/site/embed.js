// A button on somebody's page, and behind it a frame with the chat page of
// [site NAME]:
//   <script src="https://my.site/chat/embed.js" data-site="NAME" defer></script>
// data-position="left" (default: right), data-label="Ask us", data-open="yes"
// (opened at once), data-color="#1b5e8c".  All styles are set one by one on
// our own elements, which a page's policy allows; no other part of the page is
// touched, and nothing is loaded before a visitor opens the chat.
(function () {
	"use strict";
	// A tag manager inserts scripts in a way that currentScript is null.
	var script = document.currentScript;
	if (!script || !script.hasAttribute("data-site"))
		script = document.querySelector("script[data-site][src*='/chat/embed.js']:not([data-parlance])");
	if (!script)
		return;
	script.setAttribute("data-parlance", "");
	var site = script.getAttribute("data-site");
	var left = script.getAttribute("data-position") === "left";
	var label = script.getAttribute("data-label");
	var page = new URL(encodeURIComponent(site), script.src);
	page.hash = encodeURIComponent(location.origin);
	var frame = null, ready = false, open = false;

	function style(node, values) {
		for (var name in values)
			node.style.setProperty(name, values[name], "important");
	}
	function paint(color) {
		if (!/^#[0-9a-f]{6}$/i.test(color))
			return;
		var parts = [1, 3, 5].map(function (i) {
			var c = parseInt(color.slice(i, i + 2), 16) / 255;
			return c <= 0.03928 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4);
		});
		var light = 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] > 0.179;
		style(button, { background: color, color: light ? "#000000" : "#ffffff" });
	}
	function place() {
		if (!frame)
			return;
		var phone = window.innerWidth < 480 || window.innerHeight < 420;
		style(frame, phone ? { width: "100%", height: "100%", inset: "0", "border-radius": "0" } : {
			inset: left ? "auto auto 84px 16px" : "auto 16px 84px auto", "border-radius": "14px",
			width: "min(400px, calc(100vw - 32px))", height: "min(640px, calc(100vh - 104px))" });
		if (phone)
			style(frame, { height: "100dvh" });
	}
	function show(now) {
		open = now;
		if (open && !frame) {
			frame = document.createElement("iframe");
			frame.title = label || "Chat";
			frame.src = page.href;
			style(frame, { position: "fixed", border: "0", "box-shadow": "0 4px 24px rgba(0,0,0,.35)",
				background: "#ffffff", "color-scheme": "normal" });
			root.appendChild(frame);
		}
		place();
		if (frame)
			style(frame, { display: open ? "block" : "none" });
		button.setAttribute("aria-expanded", String(open));
		if (open)
			tell();
	}
	function tell() {
		frame.focus();
		if (ready)
			frame.contentWindow.postMessage({ parlance: "opened" }, page.origin);
	}

	var host = document.createElement("div");
	style(host, { all: "initial", position: "fixed", "z-index": "2147483000", inset: "auto 0 0 auto" });
	var root = host.attachShadow ? host.attachShadow({ mode: "closed" }) : host;
	var button = document.createElement("button");
	button.type = "button";
	button.setAttribute("aria-expanded", "false");
	style(button, { position: "fixed", inset: left ? "auto auto 16px 16px" : "auto 16px 16px auto",
		"min-width": "56px", "min-height": "56px", padding: "0 16px", border: "0", "border-radius": "28px",
		font: "600 16px/1.2 system-ui, sans-serif", cursor: "pointer", "box-shadow": "0 2px 10px rgba(0,0,0,.35)" });
	paint(script.getAttribute("data-color") || "#1b5e8c");
	if (label) {
		button.textContent = label;
	} else {
		var svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
		var path = document.createElementNS("http://www.w3.org/2000/svg", "path");
		svg.setAttribute("viewBox", "0 0 24 24");
		svg.setAttribute("width", "26");
		svg.setAttribute("height", "26");
		svg.setAttribute("aria-hidden", "true");
		path.setAttribute("d", "M4 4h16v12H9l-5 4z");
		path.setAttribute("fill", "currentColor");
		svg.appendChild(path);
		button.appendChild(svg);
		button.setAttribute("aria-label", "Chat");
	}
	button.addEventListener("click", function () { show(!open); });
	root.appendChild(button);
	window.addEventListener("resize", place);
	window.addEventListener("message", function (event) {
		if (!frame || event.source !== frame.contentWindow || event.origin !== page.origin || !event.data)
			return;
		if (event.data.parlance === "close") {
			show(false);
			button.focus();
		} else if (event.data.parlance === "ready") {
			ready = true;
			paint(event.data.color);
			if (open)
				tell();
		}
	});
	function insert() {
		document.body.appendChild(host);
		if (script.hasAttribute("data-open"))
			show(true);
	}
	if (document.body)
		insert();
	else
		document.addEventListener("DOMContentLoaded", insert);
})();
