"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const NAMES = "kind name was second confidence left top width height marks words status form task expected marked at".split(" ");
  const items = data.items.map((row) => Object.fromEntries(NAMES.map((name, i) => [name, row[i]])));
  const IDLE_S = 60, CELL = 84;

  // Elements are made here only: text is never taken for markup.
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "class") element.className = value;
      else if (name === "click") element.addEventListener("click", value);
      else element.setAttribute(name, value);
    }
    element.append(...children);
    return element;
  }

  // Images become blobs when they are first shown.
  const urls = new Map();
  function url(name) {
    if (!urls.has(name)) {
      const text = atob(document.getElementById(name).textContent);
      const bytes = Uint8Array.from(text, (sign) => sign.charCodeAt(0));
      const image = new Image();
      const entry = { url: URL.createObjectURL(new Blob([bytes], { type: "image/webp" })), ready: false };
      image.src = entry.url;
      image.decode().then(() => { entry.ready = true; });
      urls.set(name, entry);
    }
    return urls.get(name);
  }

  // A step is what one key press decided. Steps are kept one by one in local storage; taking back removes the last.
  const decided = new Map(), steps = [];
  let stored = true, reviewer = "", last = Date.now(), saved = 0;
  const key = (n) => `${data.key}:${n}`;
  function load() {
    try {
      reviewer = localStorage.getItem(`${data.key}:by`) || "";
      saved = Number(localStorage.getItem(`${data.key}:saved`) || 0);
      for (let n = 0, text; (text = localStorage.getItem(key(n))) !== null; n++) apply(JSON.parse(text));
    } catch { stored = false; }
    restore();
  }
  function apply(step) {
    step.before = step.of.map(([index]) => [index, decided.get(index)]);
    for (const [index, verdict, text] of step.of) decided.set(index, { verdict, text, at: step.at, seconds: step.seconds });
    steps.push(step);
  }
  // What the server has and this browser has not, or has older, is taken from the server. What was added by pointing is not
  // among the items; the server keeps it.
  const server = connect(data.columns, rows, () => refresh());
  function restore() {
    const named = (item) => JSON.stringify([...[item.kind, item.name, item.task], ...[item.left, item.top, item.width, item.height].map(String)]);
    const found = new Map(items.map((item, i) => [JSON.stringify([data.pages[item.at[0]].file, String(data.pages[item.at[0]].page), data.pages[item.at[0]].sha256, named(item)]), i]));
    server.restore((row) => {
      const index = found.get(JSON.stringify([row.file, row.page, row.sha256, named(row)])), own = decided.get(index);
      if (index !== undefined && (!own || own.at < row.at)) decided.set(index, { verdict: row.decision, text: row.text, at: row.at, seconds: Number(row.seconds), by: row.by });
      return index !== undefined;
    });
    reviewer ||= server.by;
    server.save();
  }
  function decide(list) {
    if (!list.length) return;
    const now = Date.now(), seconds = Math.min((now - last) / 1000, IDLE_S) / list.length;
    last = now;
    const step = { of: list, at: new Date(now).toISOString().slice(0, 19) + "Z", seconds: Math.round(seconds * 1000) / 1000 };
    const text = JSON.stringify(step);
    apply(step);
    try { localStorage.setItem(key(steps.length - 1), text); } catch { stored = false; }
    server.save();
    say(list.length > 1 ? `${list.length} confirmed` : `${items[list[0][0]].was || "empty"}: ${list[0][1]} ${list[0][2]}`);
  }
  function takeBack() {
    const step = steps.pop();
    if (!step) return say("nothing to take back");
    for (const [index, before] of step.before) before ? decided.set(index, before) : decided.delete(index);
    try { localStorage.removeItem(key(steps.length)); } catch { stored = false; }
    saved = Math.min(saved, steps.length - 0.5);
    server.save();
    current = step.of[0][0];
    if (items[current].kind === "digit") group = items[current].was;
    show(items[current].kind);
    say("taken back");
  }
  function change(index, text) {
    const item = items[index];
    decide([[index, text === item.was ? "confirm" : text === "" ? "remove" : "change", text]]);
  }

  function rows() {
    return [...decided].map(([index, { verdict, text, at, seconds, by }]) => {
      const item = items[index], page = data.pages[item.at[0]];
      const row = { ...item, file: page.file, page: page.page, sha256: page.sha256, text, decision: verdict, by: by ?? reviewer, at, seconds };
      return data.columns.map((name) => row[name]);
    });
  }
  function csv() {
    const quote = (value) => /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
    return [data.columns, ...rows()].map((row) => row.map(quote).join(",") + "\r\n").join("");
  }
  function download() {
    if (!reviewer) {
      reviewer = (prompt("Your name, for the column by") || "").trim();
      try { localStorage.setItem(`${data.key}:by`, reviewer); } catch { stored = false; }
    }
    const link = make("a", { download: "corrections.csv", href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })) });
    link.click();
    saved = steps.length;
    try { localStorage.setItem(`${data.key}:saved`, String(saved)); } catch { stored = false; }
    refresh();
  }
  addEventListener("beforeunload", (event) => { if (server.isUsed ? !server.isSaved() : saved !== steps.length) event.preventDefault(); });

  let view = "", group = "", current = -1, queue = [];
  const live = make("p", { role: "status", "aria-live": "polite", class: "live" });
  const progress = make("p", { class: "progress" });
  const main = make("main", { id: "main", tabindex: "-1" });
  const tabs = make("nav", { "aria-label": "Views" });
  const help = make("dialog", { "aria-labelledby": "keys" });
  const say = (text) => { live.textContent = text; };
  const percent = (value) => `${Math.floor(value * 100)}%`;
  function describe(index) {
    const item = items[index], page = data.pages[item.at[0]], state = decided.get(index);
    const parts = [item.name, item.was || "empty", percent(item.confidence)];
    if (item.second) parts.push(`second choice ${item.second}`);
    parts.push(...item.words);
    if (state) parts.push(`${state.verdict} ${state.text}`);
    return [...parts.filter(Boolean), `${page.file}, page ${page.page}`].join(", ");
  }
  function refresh() {
    const all = items.map((item, i) => [item, i]).filter(([item]) => item.kind === view);
    const done = all.filter(([, i]) => decided.has(i)).length;
    const known = [...decided].filter(([i]) => items[i].task === "known");
    const found = known.filter(([i, each]) => each.text === items[i].expected).length;
    const seconds = [...decided.values()].reduce((sum, each) => sum + each.seconds, 0);
    const words = [`${done} of ${all.length} decided`];
    if (known.length) words.push(`you found ${found} of ${known.length}`);
    if (decided.size) words.push(`${(seconds / decided.size).toFixed(1)} s each`);
    words.push(server.isUsed ? server.words() : !steps.length ? "nothing decided yet" : !stored ? "NOT stored in this browser: download now" : saved === steps.length ? "downloaded" : "kept in this browser");
    progress.textContent = words.join(" · ");
  }

  // Groups: all digits with one reading, the least sure first; only rows in view are in the document.
  let grid, columns = 1;
  function showGroup() {
    queue = items.map((_, i) => i).filter((i) => items[i].kind === "digit" && items[i].was === group);
    queue.sort((a, b) => items[a].confidence - items[b].confidence);
    if (!queue.includes(current)) current = queue.find((i) => !decided.has(i)) ?? queue[0] ?? -1;
    const choice = make("div", { role: "group", "aria-label": "Read as", class: "choice" });
    for (const digit of "0123456789") {
      choice.append(make("button", { "aria-pressed": String(digit === group), click: () => { group = digit; current = -1; show("digit"); } }, digit));
    }
    grid = make("div", { class: "grid", role: "listbox", tabindex: "0", "aria-label": `Digits read as ${group}` });
    grid.append(make("div", { role: "presentation" }));
    grid.addEventListener("scroll", () => requestAnimationFrame(drawGrid), { passive: true });
    main.replaceChildren(choice, grid, buttons([["Confirm all shown", confirmShown], ["No digit", () => digitKey("remove", "")], ["Doubt", () => digitKey("doubt", "")]]));
    reveal();
    grid.focus();
  }
  function drawGrid() {
    columns = Math.max(1, Math.floor(grid.clientWidth / CELL));
    const inner = grid.firstChild, first = Math.max(0, Math.floor(grid.scrollTop / CELL) - 2);
    inner.style.height = `${Math.ceil(queue.length / columns) * CELL}px`;
    const until = Math.min(queue.length, (first + Math.ceil(grid.clientHeight / CELL) + 5) * columns);
    const cells = [];
    for (let place = first * columns; place < until; place++) {
      const index = queue[place], item = items[index], state = decided.get(index), [, name, x, y] = item.at;
      const ink = make("span", { class: "ink" });
      ink.style.backgroundImage = `url(${url(name).url})`;
      ink.style.backgroundPosition = `${-64 * x}px ${-64 * y}px`;
      const label = !state ? "" : state.verdict === "confirm" ? "✓" : state.verdict === "change" ? `→${state.text}` : state.verdict === "remove" ? "×" : "?";
      const cell = make("div", { role: "option", id: `c${index}`, class: `cell ${state ? state.verdict : ""}`, "aria-selected": String(index === current), "aria-label": describe(index), click: () => { current = index; reveal(); } },
        ink, make("span", { class: "label" }, `${percent(item.confidence)} ${label}`));
      cell.style.transform = `translate(${(place % columns) * CELL}px, ${Math.floor(place / columns) * CELL}px)`;
      cells.push(cell);
    }
    inner.replaceChildren(...cells);
    grid.setAttribute("aria-activedescendant", `c${current}`);
  }
  function reveal() {
    columns = Math.max(1, Math.floor(grid.clientWidth / CELL));
    const top = Math.floor(Math.max(0, queue.indexOf(current)) / columns) * CELL;
    grid.firstChild.style.height = `${Math.ceil(queue.length / columns) * CELL}px`;
    if (top < grid.scrollTop) grid.scrollTop = top;
    if (top + CELL > grid.scrollTop + grid.clientHeight) grid.scrollTop = top + CELL - grid.clientHeight;
    drawGrid();
    if (current >= 0) say(describe(current));
    refresh();
  }
  function moveTo(place) {
    if (place >= 0 && place < queue.length) current = queue[place];
    reveal();
  }
  function digitKey(verdict, text) {
    const place = queue.indexOf(current);
    if (place < 0) return;
    if (verdict === "change") change(current, text);
    else decide([[current, verdict, text]]);
    moveTo(place + 1);
  }
  function confirmShown() {
    const first = Math.ceil(grid.scrollTop / CELL), end = Math.floor((grid.scrollTop + grid.clientHeight) / CELL);
    const shown = queue.slice(first * columns, Math.max(end, first + 1) * columns);
    if (shown.some((i) => !url(items[i].at[1]).ready)) return say("images are still loading");
    decide(shown.filter((i) => !decided.has(i)).map((i) => [i, "confirm", items[i].was]));
    const next = queue[Math.max(end, first + 1) * columns];
    if (next === undefined) {
      const later = [..."0123456789"].find((digit) => items.some((item, i) => item.kind === "digit" && item.was === digit && !decided.has(i)));
      if (later === undefined) { reveal(); return say("all digits are decided"); }
      group = later; current = -1; return show("digit");
    }
    current = next;
    grid.scrollTop = Math.floor(queue.indexOf(next) / columns) * CELL;
    reveal();
  }

  // Numbers and fields, one at a time.
  let input;
  function showOne() {
    queue = items.map((_, i) => i).filter((i) => items[i].kind === view);
    if (!queue.includes(current)) current = queue.find((i) => !decided.has(i)) ?? queue[0] ?? -1;
    if (current < 0) return main.replaceChildren(make("p", {}, "Nothing to review here."));
    const item = items[current], [pageIndex, name, x, y, width, height, wide, high] = item.at;
    const page = data.pages[pageIndex], state = decided.get(current);
    const mark = make("span", { class: "mark" }), cut = make("div", { class: "cut" }, make("img", { src: url(name).url, alt: "" }), mark);
    Object.assign(mark.style, { left: `${100 * x / wide}%`, top: `${100 * y / high}%`, width: `${100 * width / wide}%`, height: `${100 * height / high}%` });
    input = make("input", { "aria-label": "The right text", autocomplete: "off", spellcheck: "false", size: "14" });
    input.value = state ? state.text : item.was;
    const notes = make("ul");
    for (const words of item.words) notes.append(make("li", {}, words));
    const title = [item.name && `${item.form}: ${item.name}`, item.status].filter(Boolean).join(" · ");
    const left = make("section", { "aria-label": "Item" }, make("h2", {}, title || "Number"), cut,
      make("p", { class: "reading" }, input, make("span", {}, ` ${percent(item.confidence)}`)),
      make("p", {}, item.second ? `second choice (s): ${item.second}` : "no second choice"), notes,
      buttons([["Accept", accept], ["Nothing written", () => oneKey("remove")], ["Doubt", () => oneKey("doubt")]]));
    const place = make("span", { class: "mark" }), box = turned(item, page);
    const [pageWide, pageHigh] = page.turns % 2 ? [page.height, page.width] : [page.width, page.height];
    Object.assign(place.style, { left: `${100 * box[0] / pageWide}%`, top: `${100 * box[1] / pageHigh}%`, width: `${100 * box[2] / pageWide}%`, height: `${100 * box[3] / pageHigh}%` });
    const right = make("section", { "aria-label": "Page", class: "page" }, make("h2", {}, `${page.file}, page ${page.page}`),
      make("div", { class: "sheet" }, make("img", { src: url(`p${pageIndex}`).url, alt: `Page ${page.page} of ${page.file}` }), place));
    main.replaceChildren(make("div", { class: "two" }, left, right));
    main.focus();
    say(describe(current));
    refresh();
  }
  function turned(item, page) {
    let [left, top, width, height, wide, high] = [item.left, item.top, item.width, item.height, page.width, page.height];
    for (let n = 0; n < page.turns; n++) [left, top, width, height, wide, high] = [top, wide - left - width, height, width, high, wide];
    return [left, top, width, height];
  }
  function next(by = 1) {
    const place = queue.indexOf(current) + by;
    if (place >= queue.length) return say("this was the last one");
    current = queue[Math.max(0, place)];
    showOne();
  }
  function accept() { change(current, input.value.trim()); next(); refresh(); }
  function oneKey(verdict) { decide([[current, verdict, ""]]); next(); refresh(); }

  function buttons(list) {
    return make("div", { class: "buttons" }, ...list.map(([text, act]) => make("button", { click: act }, text)), make("button", { click: takeBack }, "Take back"));
  }
  function show(kind) {
    view = kind;
    for (const tab of tabs.querySelectorAll("[data-kind]")) tab.setAttribute("aria-pressed", String(tab.dataset.kind === kind));
    kind === "digit" ? showGroup() : showOne();
    refresh();
  }
  const KEYS = [["arrows", "move"], ["0 to 9", "the right digit; for a number, begins its text"], ["Enter", "confirm all that is shown, or accept the text"], ["s", "take the second choice"], ["x", "no digit, or nothing written there"], ["Space", "doubt"], ["z", "take back the last step"], ["v", "next view"], ["?", "show these keys"]];
  function onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const typing = event.target === input, pressed = event.key;
    if (event.target.tagName === "BUTTON" && (pressed === "Enter" || pressed === " ")) return;
    if (typing && pressed !== "Enter" && pressed !== "Escape") return;
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    if (pressed === "?") help.showModal();
    else if (pressed === "z") takeBack();
    else if (pressed === "v") { const kinds = [...tabs.querySelectorAll("[data-kind]")].map((tab) => tab.dataset.kind); show(kinds[(kinds.indexOf(view) + 1) % kinds.length]); }
    else if (view === "digit") {
      if (pressed in steps) moveTo(queue.indexOf(current) + steps[pressed]);
      else if (/^[0-9]$/.test(pressed)) digitKey("change", pressed);
      else if (pressed === "s" && current >= 0 && items[current].second) digitKey("change", items[current].second);
      else if (pressed === "x") digitKey("remove", "");
      else if (pressed === " ") digitKey("doubt", "");
      else if (pressed === "Enter") confirmShown();
      else return;
    } else if (current < 0) return;
    else if (pressed === "Escape") showOne();
    else if (pressed === "Enter") accept();
    else if (/^[0-9.,\/:+-]$/.test(pressed)) { input.focus(); input.value = pressed; }
    else if (pressed === "s" && items[current].second) { input.value = items[current].second; accept(); }
    else if (pressed === "x") oneKey("remove");
    else if (pressed === " ") oneKey("doubt");
    else if (pressed === "ArrowLeft" || pressed === "ArrowRight") next(steps[pressed]);
    else return;
    event.preventDefault();
  }
  load();
  const names = { field: "Fields", number: "Numbers", digit: "Digits" };
  const kinds = Object.keys(names).filter((kind) => items.some((item) => item.kind === kind));
  for (const kind of kinds) tabs.append(make("button", { "data-kind": kind, click: () => show(kind) }, names[kind]));
  tabs.append(make("button", { click: download }, "Download corrections.csv"), make("button", { click: () => help.showModal() }, "Keys (?)"));
  const list = make("dl");
  for (const [name, words] of KEYS) list.append(make("dt", {}, name), make("dd", {}, words));
  help.append(make("h2", { id: "keys" }, "Keys"), list, make("button", { click: () => help.close() }, "Close"));
  document.body.append(make("header", {}, make("h1", {}, `Review of ${data.results}`), tabs, progress), main, live, help);
  group = items.find((item) => item.kind === "digit")?.was ?? "0";
  addEventListener("keydown", onKey);
  addEventListener("resize", () => { if (view === "digit") drawGrid(); });
  if (kinds.length) show(kinds[0]); else main.append(make("p", {}, "There is nothing to review."));
})();
