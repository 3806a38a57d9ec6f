// The page with places on it, and missed digits that are added by pointing or by keyboard.
let zoom = 1, sheet, sheetPage = -1, sheetAt = null, pending = null, pendingMark, start = null;
const addingText = make("input", { "aria-label": "The missed digits", inputmode: "numeric", autocomplete: "off", size: "8" });
const addingForm = make("form", { class: "adding", hidden: "" });
function place(element, [left, top, width, height], [wide, high]) {
  Object.assign(element.style, { left: `${100 * left / wide}%`, top: `${100 * top / high}%`, width: `${100 * width / wide}%`, height: `${100 * height / high}%` });
  return element;
}
// Returns the section with a page. `at` is the box that it is about, as shown; `boxes` are further items.
function sheetSection(pageIndex, at, boxes) {
  const page = data.pages[pageIndex], size = shownSize(page);
  if (sheetPage !== pageIndex) cancelAdding();
  [sheetPage, sheetAt] = [pageIndex, at];
  sheet = make("div", { class: "sheet" }, make("img", { src: url(`p${pageIndex}`).url, alt: `Page ${page.page} of ${page.file}`, draggable: "false" }));
  sheet.style.aspectRatio = `${size[0]} / ${size[1]}`;
  for (const index of boxes) sheet.append(place(make("span", { class: "found" }), turned(items[index], page), size));
  const added = [];
  for (let index = ITEMS; index < items.length; index++) if (items[index].at[0] === pageIndex && decided.has(index)) added.push(index);
  for (const index of added) sheet.append(place(make("span", { class: "mark added" }, make("b", {}, decided.get(index).text)), turned(items[index], page), size));
  if (at) sheet.append(place(make("span", { class: "mark" }), at, size));
  pendingMark = make("span", { class: "mark pending" });
  pendingMark.hidden = true;
  sheet.append(pendingMark);
  sheet.addEventListener("pointerdown", beginBox);
  sheet.addEventListener("pointermove", (event) => { if (start) drawPending(boxBetween(start, pointOf(event))); });
  sheet.addEventListener("pointerup", endBox);
  sheet.addEventListener("pointercancel", () => { start = null; });
  const scroller = make("div", { class: "scroller", tabindex: "0", role: "group", "aria-label": "Page image" }, sheet);
  const tools = make("div", { class: "buttons" }, make("button", { click: () => zoomBy(2) }, "Larger (+)"), make("button", { click: () => zoomBy(0.5) }, "Smaller (-)"), make("button", { click: startAdding }, "Add missed digits (a)"));
  const list = make("ul", { class: "list" });
  for (const index of added) list.append(make("li", {}, `Added: ${decided.get(index).text} `, make("button", { click: () => { decide([[index, "", ""]]); show(view, true); } }, `Take away ${decided.get(index).text}`)));
  queueMicrotask(() => { scaleSheet(); if (pending) drawPending(pending); });
  return make("section", { "aria-label": "Page", class: "page" }, make("h2", {}, `${page.file}, page ${page.page}`), tools, scroller, list);
}
function scaleSheet() {
  const [wide, high] = shownSize(data.pages[sheetPage]), scroller = sheet.parentElement;
  sheet.style.width = `calc(${zoom} * min(100%, ${(wide / high).toFixed(3)} * var(--tall)))`;
  const about = pending || sheetAt;
  if (!about) return;
  scroller.scrollLeft = (about[0] + about[2] / 2) / wide * sheet.offsetWidth - scroller.clientWidth / 2;
  scroller.scrollTop = (about[1] + about[3] / 2) / high * sheet.offsetHeight - scroller.clientHeight / 2;
}
function zoomBy(factor) {
  zoom = Math.min(8, Math.max(1, zoom * factor));
  scaleSheet();
}

function pointOf(event) {
  const [wide, high] = shownSize(data.pages[sheetPage]), area = sheet.getBoundingClientRect();
  return [(event.clientX - area.left) / area.width * wide, (event.clientY - area.top) / area.height * high];
}
function boxBetween([x0, y0], [x1, y1]) {
  return clipped([Math.min(x0, x1), Math.min(y0, y1), Math.abs(x1 - x0), Math.abs(y1 - y0)]);
}
function clipped([left, top, width, height]) {
  const [wide, high] = shownSize(data.pages[sheetPage]);
  const x0 = Math.round(Math.min(Math.max(left, 0), wide - 1)), y0 = Math.round(Math.min(Math.max(top, 0), high - 1));
  return [x0, y0, Math.max(1, Math.round(Math.min(left + width, wide)) - x0), Math.max(1, Math.round(Math.min(top + height, high)) - y0)];
}
// A mouse draws at once; a finger scrolls until adding was started.
function beginBox(event) {
  if (event.button || !(pending || event.pointerType === "mouse")) return;
  start = pointOf(event);
  sheet.setPointerCapture(event.pointerId);
  event.preventDefault();
}
function endBox(event) {
  if (!start) return;
  const end = pointOf(event), box = boxBetween(start, end), [, , width, height] = usualBox();
  const tapped = box[2] < width / 4 || box[3] < height / 4;
  start = null;
  if (tapped && !pending) { pendingMark.hidden = true; return; }
  askFor(tapped ? clipped([end[0] - width / 2, end[1] - height / 2, width, height]) : box);
}
// The size of the digits of the page, beside what is shown.
function usualBox() {
  const page = data.pages[sheetPage], [wide, high] = shownSize(page);
  const sizes = items.filter((item) => item.kind === "digit" && item.at[0] === sheetPage && item.width).map((item) => turned(item, page));
  const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  const [width, height] = sizes.length ? [middle(sizes.map((box) => box[2])), middle(sizes.map((box) => box[3]))] : [wide / 60, high / 50];
  return sheetAt ? clipped([sheetAt[0] + sheetAt[2] + width / 2, sheetAt[1], width, height]) : clipped([wide / 2, high / 2, width, height]);
}
function drawPending(box) {
  pendingMark.hidden = false;
  place(pendingMark, box, shownSize(data.pages[sheetPage]));
}
function startAdding() {
  if (zoom < 4) zoom = 4;
  askFor(usualBox());
  scaleSheet();
  say("move the box with arrows, change its size with Shift and arrows, or draw it; type the digits, then Enter");
}
function askFor(box) {
  pending = box;
  sheet.classList.add("drawing");
  drawPending(box);
  addingForm.hidden = false;
  addingText.focus();
}
function cancelAdding() {
  pending = null;
  addingForm.hidden = true;
  addingText.value = "";
  sheet?.classList.remove("drawing");
  if (pendingMark) pendingMark.hidden = true;
}
function addPending() {
  const text = addingText.value.trim(), page = data.pages[sheetPage];
  if (!/^[0-9][0-9.,/:+-]*$/.test(text)) return say("type the digits that were missed, then Enter");
  const [left, top, width, height] = turnedBack(pending, page), kind = /^[0-9]$/.test(text) ? "digit" : "number";
  const added = { kind, name: "", was: "", second: "", confidence: 0, left, top, width, height, marks: "", words: [], status: "", form: "", task: "review", expected: "", marked: false, at: [sheetPage] };
  decide([[items.length, "add", text]], added);
  cancelAdding();
  show(view, true);
  main.focus();
  say(`added ${text}`);
}
function onAddingKey(event) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] || [0, 0];
  if (event.key === "Escape") { cancelAdding(); main.focus(); }
  else if (dx || dy) {
    const [left, top, width, height] = pending, by = Math.max(1, Math.round(usualBox()[3] / 5));
    pending = clipped(event.shiftKey ? [left, top, width + dx * by, height + dy * by] : [left + dx * by, top + dy * by, width, height]);
    drawPending(pending);
    scaleSheet();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}
addingText.addEventListener("keydown", onAddingKey);
addingForm.append(make("label", {}, "Missed digits: ", addingText), make("button", { type: "submit" }, "Add"), make("button", { type: "button", click: () => { cancelAdding(); main.focus(); } }, "Cancel"));
addingForm.addEventListener("submit", (event) => { event.preventDefault(); addPending(); });
