// Views, keys, the name of the person, and the start.
let view = "", group = "", current = -1, queue = [];
const live = make("p", { role: "status", "aria-live": "polite", class: "live" });
const progress = make("p", { class: "progress" });
const main = make("main", { id: "main", tabindex: "-1" });
const tabs = make("nav", { "aria-label": "Views" });
const help = make("dialog", { "aria-labelledby": "keys" });
const nameField = make("input", { "aria-label": "Your name", autocomplete: "name", placeholder: "Your name", size: "12" });
function say(text) { live.textContent = text; }
function percent(value) { return `${Math.floor(value * 100)}%`; }
function indices(kind, test = passes) {
  const found = [];
  for (let i = 0; i < ITEMS; i++) if (items[i].kind === kind && test(i)) found.push(i);
  return found;
}
function describe(index) {
  const item = items[index], page = data.pages[item.at[0]], now = state(index);
  const words = [item.name, item.was || "empty", percent(item.confidence)];
  if (item.second) words.push(`second choice ${item.second}`);
  words.push(...item.words);
  if (now?.elsewhere) words.push(`settled elsewhere: ${now.text}`);
  else if (now) words.push(`${now.verdict} ${now.text}`);
  return [...words.filter(Boolean), `${page.file}, page ${page.page}`].join(", ");
}
const totals = {};
let told = "";
function refresh() {
  const about = `${view} ${version} ${saved} ${stored} ${server.words()}`;
  if (about === told) return;
  told = about;
  let done = 0, seconds = 0, known = 0, found = 0;
  const all = totals[view] ?? (totals[view] = indices(view, () => true));
  for (const i of all) if (settled(i)) done++;
  for (const [i, each] of decided) {
    seconds += each.seconds;
    if (items[i].task === "known") { known++; if (each.text === items[i].expected) found++; }
  }
  const words = view === "page" ? [] : [`${done} of ${all.length} decided`];
  if (items.length > ITEMS) words.push(`${[...decided.keys()].filter((i) => i >= ITEMS).length} added`);
  if (known) words.push(`you found ${found} of ${known}`);
  if (decided.size) words.push(`${(seconds / decided.size).toFixed(1)} s each`);
  words.push(server.isUsed ? server.words() : !steps.length ? "nothing decided yet" : !stored ? "NOT stored in this browser: download now" : saved === steps.length ? "downloaded" : "kept in this browser");
  progress.textContent = words.join(" · ");
}
function buttons(list) {
  return make("div", { class: "buttons" }, ...list.map(([text, act]) => make("button", { click: act }, text)), make("button", { click: takeBack }, "Take back"));
}
// Shows a view; `stay` leaves the focus where it is.
function show(kind, stay = false) {
  const active = document.activeElement;
  view = kind;
  for (const tab of tabs.querySelectorAll("[data-kind]")) tab.setAttribute("aria-pressed", String(tab.dataset.kind === kind));
  queue = kind === "page" ? [] : indices(kind);
  if (kind === "page") { if (!stay && current >= 0 && current < ITEMS) currentPage = items[current].at[0]; showPages(); countShown(pageQueue.length, data.pages.length, "pages"); }
  else {
    countShown(queue.length, (totals[kind] ?? (totals[kind] = indices(kind, () => true))).length, TABS[kind].toLowerCase());
    if (kind !== "digit") { cancelAdding(); showOne(); }
    else { cancelAdding(); showGroup(); if (!stay) grid.focus({ preventScroll: true }); }
  }
  if (stay && active?.isConnected) active.focus({ preventScroll: true });
  refresh();
}

// The name is asked once, at the top; what is downloaded must have one.
let wanted = false;
function setName() {
  reviewer = nameField.value.trim();
  keep(BY, reviewer);
  server.save();
}
nameField.addEventListener("change", setName);
nameField.addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  setName();
  if (wanted && reviewer) download();
  main.focus();
});
function download() {
  if (!reviewer) {
    wanted = true;
    nameField.focus();
    return say("write your name at the top, then Enter: the file says who decided");
  }
  wanted = false;
  const link = make("a", { download: "corrections.csv", href: URL.createObjectURL(new Blob([csv()], { type: "text/csv" })) });
  link.click();
  saved = steps.length;
  keep(`${data.key}:saved`, String(saved));
  refresh();
}
addEventListener("beforeunload", (event) => { if (server.isUsed ? !server.isSaved() : saved !== steps.length) event.preventDefault(); });

const KEYS = [["arrows", "move"], ["0 to 9", "the right digit; for a number, begins its text"], ["Enter", "confirm all that is shown, or accept the text"], ["s", "take the second choice"], ["x", "no digit, or nothing written there"], ["Space", "doubt"], ["z", "take back the last step"], ["v", "next view"], ["f", "filter; Escape leaves it"], ["a", "add missed digits on the page: arrows move the box, Shift and arrows change its size"], ["+ and -", "page larger or smaller"], ["?", "show these keys"]];
function onKey(event) {
  const pressed = event.key, target = event.target, typing = target === input;
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  if (!typing && target.matches("input, select")) {
    if (pressed !== "Escape") return;
    event.preventDefault();  // a search field would be emptied
    (view === "digit" ? grid : main).focus();
    return;
  }
  if (target.matches("button, summary") && (pressed === "Enter" || pressed === " ")) return;
  if (typing && pressed !== "Enter" && pressed !== "Escape") return;
  if (act(pressed)) event.preventDefault();
}
// Does what a key says; returns false for a key that has no meaning here.
function act(pressed) {
  const kinds = Object.keys(TABS).filter((kind) => tabs.querySelector(`[data-kind=${kind}]`));
  if (pressed === "?") help.showModal();
  else if (pressed === "z") takeBack();
  else if (pressed === "f") openFilters();
  else if (pressed === "v") show(kinds[(kinds.indexOf(view) + 1) % kinds.length]);
  else if (view !== "digit" && sheet && pressed === "a") startAdding();
  else if (view !== "digit" && sheet && (pressed === "+" || pressed === "-")) zoomBy(pressed === "+" ? 2 : 0.5);
  else return view === "digit" ? actInGroup(pressed) : view === "page" ? actOnPage(pressed) : current >= 0 && actOnOne(pressed);
  return true;
}
function actInGroup(pressed) {
  const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
  if (pressed in by) moveTo(queue.indexOf(current) + by[pressed]);
  else if (/^[0-9]$/.test(pressed)) digitKey("change", pressed);
  else if (pressed === "s" && items[current]?.second) digitKey("change", items[current].second);
  else if (pressed === "x") digitKey("remove", "");
  else if (pressed === " ") digitKey("doubt", "");
  else if (pressed === "a") { show("page"); startAdding(); }
  else if (pressed === "Enter") confirmShown();
  else return false;
  return true;
}
function actOnPage(pressed) {
  if (pressed === "ArrowLeft") turnPage(-1);
  else if (pressed === "ArrowRight") turnPage(1);
  else return false;
  return true;
}
function actOnOne(pressed) {
  if (pressed === "Escape") showOne();
  else if (pressed === "Enter") accept();
  else if (/^[0-9.,/:]$/.test(pressed)) { input.focus(); input.value = pressed; }
  else if (pressed === "s" && items[current].second) { input.value = items[current].second; accept(); }
  else if (pressed === "x") oneKey("remove");
  else if (pressed === " ") oneKey("doubt");
  else if (pressed === "ArrowLeft") next(-1);
  else if (pressed === "ArrowRight") next(1);
  else return false;
  return true;
}

const TABS = { field: "Fields", number: "Numbers", digit: "Digits", page: "Pages" };
function begin() {
  link();
  load();
  for (const [kind, name] of Object.entries(TABS)) {
    if (kind === "page" || items.some((item) => item.kind === kind)) tabs.append(make("button", { "data-kind": kind, click: () => show(kind) }, name));
  }
  tabs.append(make("button", { title: "Download corrections.csv", click: download }, "Download"), make("button", { class: "keys", click: () => help.showModal() }, "Keys (?)"));
  const list = make("dl");
  for (const [name, words] of KEYS) list.append(make("dt", {}, name), make("dd", {}, words));
  help.append(make("h2", { id: "keys" }, "Keys"), list, make("button", { click: () => help.close() }, "Close"));
  nameField.value = reviewer;
  const head = make("header", {}, make("div", { class: "top" }, make("h1", {}, `Review of ${data.results}`), nameField), tabs, make("div", { class: "below" }, progress));
  document.body.append(head, main, addingForm, live, help);
  if (!ITEMS) return main.append(make("p", {}, "There is nothing to review."));
  buildFilters();
  head.lastChild.append(filterBar);
  group = items.find((item) => item.kind === "digit")?.was ?? "0";
  addEventListener("keydown", onKey);
  addEventListener("resize", () => { if (view === "digit") { measureGrid(); drawGrid(); } });
  show(tabs.querySelector("[data-kind]").dataset.kind);
}
begin();
