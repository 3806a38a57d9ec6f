// Numbers and fields one at a time, and pages one at a time.
let input;
function showOne() {
  if (!queue.includes(current)) current = queue.find((i) => !settled(i)) ?? queue[0] ?? -1;
  if (current < 0) return main.replaceChildren(make("p", {}, "Nothing is shown: the filter leaves none."));
  const item = items[current], [pageIndex, name, x, y, width, height, wide, high] = item.at;
  const page = data.pages[pageIndex], now = state(current);
  const cut = make("div", { class: "cut" }, make("img", { src: url(name).url, alt: "The writing", width: wide, height: high }), place(make("span", { class: "mark" }), [x, y, width, height], [wide, high]));
  input = make("input", { "aria-label": "The right text", autocomplete: "off", spellcheck: "false", size: "14", inputmode: item.kind === "number" ? "decimal" : "text" });
  input.value = now && now.verdict !== "doubt" ? now.text : item.was;
  const notes = make("ul", { class: "list" });
  for (const words of item.words) notes.append(make("li", {}, words));
  if (now?.elsewhere) notes.append(make("li", {}, `Read as ${item.was}; a digit was decided in the view Digits.${now.verdict ? " Nothing is left to decide." : ""}`));
  const title = [item.name && `${item.form}: ${item.name}`, item.status].filter(Boolean).join(" · ");
  const decision = now && !now.elsewhere ? ` · ${SAID[now.verdict]}` : "";
  const left = make("section", { "aria-label": "Item" }, make("h2", {}, `${title || "Number"} (${queue.indexOf(current) + 1} of ${queue.length})${decision}`), cut,
    make("p", { class: "reading" }, input, make("span", {}, ` ${percent(item.confidence)}`)),
    make("p", {}, item.second ? "Second choice (s): " : "No second choice", make("b", {}, item.second)), notes,
    buttons([["Accept", accept], ["Nothing written", () => oneKey("remove")], ["Doubt", () => oneKey("doubt")]]));
  main.replaceChildren(make("div", { class: "two" }, left, sheetSection(pageIndex, turned(item, page), [])));
  if (!pending) main.focus({ preventScroll: true });
  say(describe(current));
  const ahead = queue[queue.indexOf(current) + 1];
  if (ahead !== undefined) setTimeout(() => { url(items[ahead].at[1]); url(`p${items[ahead].at[0]}`); });
}
const SAID = { confirm: "confirmed", change: "changed", remove: "nothing written", doubt: "in doubt" };
function next(by = 1) {
  const to = queue.indexOf(current) + by;
  if (to >= queue.length) { showOne(); refresh(); return say("this was the last one"); }
  current = queue[Math.max(0, to)];
  showOne();
  refresh();
}
function accept() { change(current, input.value.trim()); next(); }
function oneKey(verdict) { decide([[current, verdict, ""]]); next(); }

let currentPage = 0, pageQueue = [];
function showPages() {
  pageQueue = data.pages.map((_, n) => n).filter((n) => data.pages[n].file.includes(filter.file));
  if (!pageQueue.includes(currentPage)) currentPage = pageQueue[0] ?? -1;
  if (currentPage < 0) return main.replaceChildren(make("p", {}, "Nothing is shown: the filter leaves none."));
  const found = indices("digit", () => true).filter((i) => items[i].at[0] === currentPage && items[i].task !== "known");
  const chosen = current >= 0 && current < ITEMS && items[current].at[0] === currentPage ? turned(items[current], data.pages[currentPage]) : null;
  const hint = `Page ${pageQueue.indexOf(currentPage) + 1} of ${pageQueue.length}. Each digit that was read has a thin box. Draw a box around what was missed.`;
  main.replaceChildren(make("p", { class: "hint" }, hint), sheetSection(currentPage, chosen, found), buttons([["Page before", () => turnPage(-1)], ["Next page", () => turnPage(1)]]));
  if (!pending) main.focus({ preventScroll: true });
  say(`${data.pages[currentPage].file}, page ${data.pages[currentPage].page}, ${found.length} digits read`);
}
function turnPage(by) {
  const to = pageQueue.indexOf(currentPage) + by;
  if (to < 0 || to >= pageQueue.length) return say("there is no further page");
  currentPage = pageQueue[to];
  showPages();
}
