"use strict";
/*
 * The records of the page: searched, sorted, shown a page at a time.  All text goes in by
 * textContent.  A record is told by its row, its place in the columns of the data, from 0.
 */
(() => {
	const HASH = 64, TIME = 27, REF = 7; /* sizes of one in hash, time and refs */
	const SHORT = 200; /* characters of a cell */
	const MOST_REFS = 1000; /* of one record that are shown */
	const WAIT = 120; /* milliseconds after the last key before a search */
	const SLICE = 4000; /* records made ready for searching at once */
	const byId = (id) => document.getElementById(id);
	const data = JSON.parse(byId("data").textContent);
	const strings = data.strings;
	const total = data.seq.length;

	/* --- what the data says of a row --- */

	const hashOf = (row) => data.hash.substr(row * HASH, HASH);
	const timeOf = (row) => data.time.substr(row * TIME, TIME);
	const context = (row, n) => strings[data.contexts[data.context[row]][n] || 0];
	const ofString = (column) => (row) => strings[data[column][row]];
	const firstRef = (row) => data.first[row];
	const endRef = (row) => (row + 1 < total ? data.first[row + 1] : data.refs.length / REF);
	const ref = (at, n) => strings[data.refs[at * REF + n]];
	const whoOf = (row) => context(row, 1) || context(row, 0);
	const projectOf = (row) => context(row, 4) || context(row, 3);

	function previousOf(row) {
		if (data.prev[row])
			return strings[data.prev[row]];
		return row > 0 ? hashOf(row - 1) : "";
	}

	function eachRef(row, call) {
		for (let at = firstRef(row); at < endRef(row); at++)
			call(at);
	}

	function codesOf(row) {
		const codes = new Set();
		eachRef(row, (at) => {
			if (ref(at, 5))
				ref(at, 5).split(", ").forEach((code) => codes.add(code));
		});
		return [...codes].sort().join(", ");
	}

	function refOf(row) {
		const more = endRef(row) - firstRef(row) - 1;
		if (more < 0)
			return "";
		return ref(firstRef(row), 0) + (more > 0 ? " and " + more + " more" : "");
	}

	function moveOf(row) {
		const at = firstRef(row);
		if (at === endRef(row) || (!ref(at, 1) && !ref(at, 2)))
			return "";
		return ref(at, 1).slice(0, 7) + ".." + ref(at, 2).slice(0, 7);
	}

	function reasonOf(row) {
		const reasons = new Set();
		eachRef(row, (at) => reasons.add(ref(at, 6)));
		reasons.add(strings[data.reason[row]]);
		reasons.delete("");
		return [...reasons].join("; ");
	}

	const columns = {
		seq: (row) => data.seq[row],
		hash: (row) => hashOf(row).slice(0, 8),
		time: (row) => timeOf(row).slice(0, 19).replace("T", " "),
		event: ofString("event"),
		who: whoOf,
		project: projectOf,
		ref: refOf,
		move: moveOf,
		codes: codesOf,
		pipeline: (row) => data.pipeline[row],
		stage: ofString("stage"),
		status: ofString("status"),
		reason: reasonOf,
	};
	/* By what a column is sorted, where that is not what is shown. */
	const sortKeys = { hash: hashOf, time: timeOf };

	/* --- searching --- */

	const texts = []; /* of each row, in lower case; made ready while nobody asks */

	function textOf(row) {
		const parts = [data.seq[row], hashOf(row), columns.time(row), timeOf(row), previousOf(row)];
		for (const n of data.contexts[data.context[row]])
			parts.push(strings[n]);
		for (const column of ["event", "stage", "status", "reason", "push", "correlation", "extra"])
			parts.push(strings[data[column][row]]);
		if (data.pipeline[row])
			parts.push("pipeline " + data.pipeline[row]);
		for (let i = firstRef(row) * REF; i < endRef(row) * REF; i++)
			parts.push(strings[data.refs[i]]);
		return parts.join("\n").toLowerCase();
	}

	function prepare(end) {
		while (texts.length < end)
			texts.push(textOf(texts.length));
	}

	function prepareInSlices() {
		prepare(Math.min(total, texts.length + SLICE));
		if (texts.length < total)
			setTimeout(prepareInSlices, 0);
	}

	function words(text) {
		const found = text.toLowerCase().match(/"[^"]*"?|[^\s"]+/g) || [];
		return found.map((word) => word.replaceAll("\"", "")).filter((word) => word !== "");
	}

	/* --- the state of the list --- */

	const state = { key: "seq", down: true, query: [], kinds: "", page: 0, size: 50 };
	let order = []; /* all rows, sorted */
	let view = []; /* those of them that were looked for */

	/* What is empty comes last, whichever way the rest goes. */
	function sort() {
		const key = sortKeys[state.key] || columns[state.key];
		const keys = new Array(total);
		const way = state.down ? -1 : 1;
		for (let row = 0; row < total; row++)
			keys[row] = key(row) || "";
		order = Uint32Array.from(keys, (_, row) => row);
		/* As most logs are by number and time; it saves the opening of a long one from sorting. */
		if (keys.every((value, row) => row === 0 || (keys[row - 1] !== "" && keys[row - 1] < value))) {
			if (state.down)
				order.reverse();
			return;
		}
		order.sort((a, b) => {
			const x = keys[a], y = keys[b];
			if (x === y)
				return way * (a - b);
			if (x === "" || y === "")
				return x === "" ? 1 : -1;
			return x < y ? -way : way;
		});
	}

	function find() {
		if (state.query.length === 0 && state.kinds === "") {
			view = order;
			return;
		}
		if (state.query.length > 0)
			prepare(total);
		view = order.filter((row) => (state.kinds === "" || state.kinds.includes(data.kind[row])) &&
			state.query.every((word) => texts[row].includes(word)));
	}

	/* --- showing --- */

	function element(name, text, className) {
		const made = document.createElement(name);
		if (text !== undefined)
			made.textContent = text;
		if (className)
			made.className = className;
		return made;
	}

	const kindClasses = ["", "accepted", "rejected", "overridden", "overridden", "deployed"];

	function makeRow(row) {
		const made = element("tr");
		const head = element("th");
		const button = element("button", data.seq[row], "open");
		head.scope = "row";
		button.type = "button";
		button.setAttribute("aria-expanded", "false");
		button.setAttribute("aria-label", "Record " + data.seq[row] + ", all fields");
		head.append(button);
		made.append(head);
		for (const key of Object.keys(columns).slice(1)) {
			const text = String(columns[key](row) || "");
			const cell = element("td", text.length > SHORT ? text.slice(0, SHORT) + "\u2026" : text,
				"c-" + key);
			cell.title = cell.textContent; /* the cell may be too narrow for it */
			if (key === "event" && data.kind[row] !== "0")
				cell.classList.add("kind", "is-" + kindClasses[data.kind[row]]);
			made.append(cell);
		}
		made.dataset.row = row;
		return made;
	}

	function addFact(list, name, value) {
		if (value === "" || value === 0 || value === undefined)
			return;
		const pair = element("div");
		pair.append(element("dt", name), element("dd", value));
		list.append(pair);
	}

	function makeRefs(row) {
		const end = Math.min(endRef(row), firstRef(row) + MOST_REFS);
		const box = element("div", undefined, "refs");
		for (let at = firstRef(row); at < end; at++) {
			const list = element("dl", undefined, "fields");
			["reference", "old", "new", "source", "method", "codes", "reason"].forEach((name, n) =>
				addFact(list, name, ref(at, n)));
			box.append(list);
		}
		if (end < endRef(row))
			box.append(element("p", "And " + (endRef(row) - end) + " more references; " +
				"modelgate audit show prints them."));
		return box;
	}

	function makeDetail(row) {
		const made = element("tr", undefined, "detail");
		const cell = element("td");
		const list = element("dl", undefined, "fields");
		cell.colSpan = Object.keys(columns).length;
		addFact(list, "seq", data.seq[row]);
		addFact(list, "time", timeOf(row));
		addFact(list, "event", columns.event(row));
		addFact(list, "hash", hashOf(row));
		addFact(list, "prev", previousOf(row));
		addFact(list, "push_id", strings[data.push[row]]);
		["actor id", "actor name", "actor protocol", "repository", "project", "gl_repository"]
			.forEach((name, n) => addFact(list, name, context(row, n)));
		addFact(list, "pipeline", data.pipeline[row]);
		for (const name of ["stage", "status", "reason"])
			addFact(list, name, strings[data[name][row]]);
		addFact(list, "policy", context(row, 6));
		addFact(list, "build", context(row, 7));
		addFact(list, "correlation_id", strings[data.correlation[row]]);
		addFact(list, "other", strings[data.extra[row]]);
		cell.append(list, makeRefs(row));
		made.append(cell);
		return made;
	}

	function toggle(row) {
		const button = row.querySelector("button");
		const open = button.getAttribute("aria-expanded") === "true";
		if (open)
			row.nextSibling.remove();
		else
			row.after(makeDetail(Number(row.dataset.row)));
		button.setAttribute("aria-expanded", String(!open));
	}

	const amount = (n) => n.toLocaleString("en-US");

	function show() {
		const pages = Math.max(1, Math.ceil(view.length / state.size));
		const rows = document.createDocumentFragment();
		state.page = Math.min(Math.max(state.page, 0), pages - 1);
		const start = state.page * state.size;
		for (const row of view.slice(start, start + state.size))
			rows.append(makeRow(row));
		byId("rows").replaceChildren(rows);
		byId("page").textContent = "Page " + amount(state.page + 1) + " of " + amount(pages);
		byId("count").textContent = view.length === total ? amount(total) + " records" :
			amount(view.length) + " of " + amount(total) + " records";
		/* Not disabled: focus would be lost at the last page. */
		for (const id of ["first", "previous"])
			byId(id).setAttribute("aria-disabled", String(state.page === 0));
		for (const id of ["next", "last"])
			byId(id).setAttribute("aria-disabled", String(state.page === pages - 1));
	}

	function showFound() {
		find();
		state.page = 0;
		show();
	}

	/* --- what the reader does --- */

	let timer = 0;

	function search() {
		clearTimeout(timer);
		state.query = words(byId("search").value);
		showFound();
	}

	function searchSoon() {
		clearTimeout(timer);
		timer = setTimeout(search, WAIT);
	}

	function sortBy(head) {
		state.down = head.dataset.key === state.key && !state.down;
		state.key = head.dataset.key;
		for (const other of head.parentNode.children)
			other.removeAttribute("aria-sort");
		head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
		sort();
		showFound();
	}

	function turnTo(page) {
		state.page = page;
		show();
	}

	function listen() {
		byId("search").addEventListener("input", searchSoon);
		byId("search").addEventListener("keydown", (event) => {
			if (event.key === "Enter")
				search();
		});
		byId("show").addEventListener("change", (event) => {
			state.kinds = event.target.value;
			showFound();
		});
		byId("size").addEventListener("change", (event) => {
			state.page = Math.floor(state.page * state.size / Number(event.target.value));
			state.size = Number(event.target.value);
			show();
		});
		for (const head of document.querySelectorAll("th[data-key]"))
			head.firstChild.addEventListener("click", () => sortBy(head));
		byId("first").addEventListener("click", () => turnTo(0));
		byId("previous").addEventListener("click", () => turnTo(state.page - 1));
		byId("next").addEventListener("click", () => turnTo(state.page + 1));
		byId("last").addEventListener("click", () => turnTo(Infinity));
		byId("rows").addEventListener("click", (event) => {
			const row = event.target.closest("tr[data-row]");
			/* Somebody who marks text to copy it does not want it to move. */
			if (row && (event.target.closest("button") || getSelection().isCollapsed))
				toggle(row);
		});
	}

	/* Names in the tables of counts search for themselves. */
	function linkNames() {
		for (const name of document.querySelectorAll("th.name")) {
			const button = element("button", name.textContent);
			button.type = "button";
			button.title = "Show these records";
			button.addEventListener("click", () => {
				byId("search").value = "\"" + button.textContent + "\"";
				search();
				byId("records").scrollIntoView();
				byId("search").focus();
			});
			name.replaceChildren(button);
		}
	}

	function listenForTheme() {
		const box = byId("theme");
		box.hidden = false;
		box.addEventListener("click", (event) => {
			const chosen = event.target.closest("button");
			if (!chosen)
				return;
			for (const button of box.children)
				button.setAttribute("aria-pressed", String(button === chosen));
			document.documentElement.dataset.theme = chosen.dataset.theme;
		});
	}

	sort();
	find();
	show();
	byId("tools").hidden = byId("list").hidden = false;
	listen();
	listenForTheme();
	linkNames();
	performance.mark("records-shown");
	setTimeout(prepareInSlices, 0);
})();
