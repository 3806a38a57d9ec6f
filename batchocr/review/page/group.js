// Groups: all digits with one reading, the least sure first; only rows in view are in the document.
const CELL = 84, SIGNS = { confirm: "✓", remove: "×", doubt: "?", settled: "✓" };
let grid, columns = 1;
const cells = new Map();
function showGroup() {
  const all = queue.length;
  queue = queue.filter((i) => items[i].was === group).sort((a, b) => items[a].confidence - items[b].confidence);
  if (!queue.includes(current)) current = queue.find((i) => !settled(i)) ?? queue[0] ?? -1;
  const readings = make("div", { role: "group", "aria-label": "Read as", class: "choice" }, make("span", {}, "Read as"));
  for (const digit of "0123456789") {
    readings.append(make("button", { "aria-pressed": String(digit === group), click: () => { group = digit; current = -1; show("digit"); } }, digit));
  }
  cells.clear();
  grid = make("div", { class: "grid", role: "listbox", tabindex: "0", "aria-label": `Digits read as ${group}` });
  grid.append(make("div", { role: "presentation" }));
  grid.addEventListener("scroll", () => requestAnimationFrame(drawGrid), { passive: true });
  grid.firstChild.addEventListener("click", (event) => {
    const cell = event.target.closest(".cell");
    if (cell) { current = Number(cell.id.slice(1)); reveal(); }
  });
  const keypad = make("div", { role: "group", "aria-label": "It is", class: "keypad" }, make("span", {}, "It is"));
  for (const digit of "0123456789") keypad.append(make("button", { "aria-label": `It is ${digit}`, click: () => { digitKey("change", digit); grid.focus({ preventScroll: true }); } }, digit));
  const note = queue.length ? [] : [make("p", {}, all ? `No ${group} is shown here: choose another reading.` : "No digit is shown: the filter leaves none.")];
  main.replaceChildren(readings, ...note, grid, keypad, buttons([["Confirm all shown", confirmShown], ["No digit", () => digitKey("remove", "")], ["Doubt", () => digitKey("doubt", "")]]));
  reveal();
}
function measureGrid() {
  columns = Math.max(1, Math.floor(grid.clientWidth / CELL));
  grid.firstChild.style.height = `${Math.ceil(queue.length / columns) * CELL}px`;
}
// Cells that stay in view are kept; a cell is written again only where something about it has changed.
function drawGrid() {
  if (!grid.isConnected) return;
  const first = Math.max(0, Math.floor(grid.scrollTop / CELL) - 2) * columns;
  const until = Math.min(queue.length, first + (Math.ceil(grid.clientHeight / CELL) + 5) * columns);
  const wanted = new Set(queue.slice(first, until));
  for (const [index, cell] of cells) if (!wanted.has(index)) { cell.element.remove(); cells.delete(index); }
  const fresh = [];
  for (let place = first; place < until; place++) {
    const index = queue[place];
    if (!cells.has(index)) { cells.set(index, newCell(index)); fresh.push(cells.get(index).element); }
    drawCell(index, place);
  }
  grid.firstChild.append(...fresh);
  grid.setAttribute("aria-activedescendant", `c${current}`);
}
function newCell(index) {
  const [, name, x, y] = items[index].at, ink = make("span", { class: "ink" }), label = make("span", { class: "label" });
  ink.style.backgroundImage = `url(${url(name).url})`;
  ink.style.backgroundPosition = `${-64 * x}px ${-64 * y - 4}px`;
  return { element: make("div", { role: "option", id: `c${index}` }, ink, label), label, drawn: "" };
}
function drawCell(index, place) {
  const cell = cells.get(index), now = state(index), { element } = cell;
  const sign = !now ? "" : now.verdict === "change" ? `→${now.text}` : SIGNS[now.verdict];
  const drawn = `${place} ${columns} ${sign} ${!!now?.elsewhere} ${index === current}`;
  if (drawn === cell.drawn) return;
  cell.drawn = drawn;
  element.className = `cell ${now ? now.verdict : ""}`;
  element.setAttribute("aria-selected", String(index === current));
  element.setAttribute("aria-label", describe(index));
  element.setAttribute("aria-posinset", String(place + 1));
  element.setAttribute("aria-setsize", String(queue.length));
  element.title = now?.elsewhere ? "settled in the number or field it is part of" : "";
  cell.label.textContent = `${percent(items[index].confidence)} ${sign}${now?.elsewhere ? "•" : ""}`;
  element.style.transform = `translate(${(place % columns) * CELL}px, ${Math.floor(place / columns) * CELL}px)`;
}
function reveal() {
  measureGrid();
  const top = Math.floor(Math.max(0, queue.indexOf(current)) / columns) * CELL;
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
  decide(shown.filter((i) => !settled(i)).map((i) => [i, "confirm", items[i].was]));
  const next = queue[Math.max(end, first + 1) * columns];
  if (next === undefined) {
    const left = indices("digit").filter((i) => !settled(i)).map((i) => items[i].was);
    const later = [..."0123456789"].find((digit) => left.includes(digit));
    if (later === undefined) { reveal(); return say("all digits that are shown are decided"); }
    group = later;
    current = -1;
    return show("digit");
  }
  current = next;
  grid.scrollTop = Math.floor(queue.indexOf(next) / columns) * CELL;
  reveal();
}
