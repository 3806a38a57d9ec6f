// What is shown, and what was decided. The files of this page are joined in the order of `SCRIPTS` in assets.py.
const data = JSON.parse(document.getElementById("data").textContent);
const NAMES = "kind name was second confidence left top width height marks words status form task expected marked at".split(" ");
const items = data.items.map((row) => Object.fromEntries(NAMES.map((name, i) => [name, row[i]])));
const ITEMS = items.length, IDLE_S = 60;

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

// Local storage may be forbidden or full; then the page says so.
let stored = true;
function keep(name, value) {
  try { value === null ? localStorage.removeItem(name) : localStorage.setItem(name, value); } catch { stored = false; }
}
function kept(name) {
  try { return localStorage.getItem(name); } catch { stored = false; return null; }
}

// A step is what one key press decided. Steps are kept one by one in local storage; taking back removes the last.
const decided = new Map(), steps = [];
const BY = "batchocr-review:by";
let reviewer = "", last = Date.now(), saved = 0, version = 0;
const key = (n) => `${data.key}:${n}`;
function load() {
  reviewer = kept(BY) || "";
  saved = Number(kept(`${data.key}:saved`) || 0);
  for (let n = 0, text; (text = kept(key(n))) !== null; n++) apply(JSON.parse(text));
  restore();
}
function apply(step) {
  version++;
  if (step.added) items.push({ ...step.added });
  step.before = step.of.map(([index]) => [index, decided.get(index)]);
  for (const [index, verdict, text] of step.of) {
    if (verdict) decided.set(index, { verdict, text, at: step.at, seconds: step.seconds, order: steps.length });
    else decided.delete(index);
  }
  steps.push(step);
}
function decide(list, added) {
  if (!list.length) return;
  const now = Date.now(), seconds = Math.min((now - last) / 1000, IDLE_S) / list.length;
  last = now;
  const step = { of: list, at: after(list, now), seconds: Math.round(seconds * 1000) / 1000, ...(added && { added }) };
  const text = JSON.stringify(step);
  apply(step);
  keep(key(steps.length - 1), text);
  server.save();
  say(list.length > 1 ? `${list.length} confirmed` : `${items[list[0][0]].was || "empty"}: ${list[0][1] || "taken away"} ${list[0][2]}`);
}
// The time of a step in whole seconds; later than what was decided before about the same digits.
function after(list, now) {
  const stamp = (time) => new Date(time).toISOString().slice(0, 19) + "Z";
  let at = stamp(now);
  for (const [index] of list) {
    for (const other of [...(parts.get(index) || []), ...(wholes.get(index) || [])]) {
      const before = decided.get(other)?.at;
      if (before >= at) at = stamp(Date.parse(before) + 1000);
    }
  }
  return at;
}
function takeBack() {
  const step = steps.pop();
  if (!step) return say("nothing to take back");
  version++;
  for (const [index, before] of step.before) before ? decided.set(index, before) : decided.delete(index);
  if (step.added) items.pop();
  keep(key(steps.length), null);
  server.save();
  saved = Math.min(saved, steps.length - 0.5);
  const index = step.of[0][0];
  if (step.added || items[index].at.length === 1) show(view);
  else {
    current = index;
    if (items[index].kind === "digit") group = items[index].was;
    if (!passes(index)) clearFilter();
    show(items[index].kind);
  }
  say("taken back");
}
function change(index, text) {
  const item = items[index];
  decide([[index, text === item.was ? "confirm" : text === "" ? "remove" : "change", text]]);
}

// The digits of a number or field are found by their place; they are linked if they are what its text has.
const parts = new Map(), wholes = new Map();
function link() {
  const pages = data.pages.map(() => ({ digits: [], others: [] }));
  items.forEach((item, i) => {
    if (item.task !== "known") pages[item.at[0]][item.kind === "digit" ? "digits" : "others"].push(i);
  });
  const inside = (item, whole) => {
    const x = item.left + item.width / 2 - whole.left, y = item.top + item.height / 2 - whole.top;
    return x >= 0 && y >= 0 && x <= whole.width && y <= whole.height;
  };
  pages.forEach(({ digits, others }, number) => {
    for (const index of others) {
      const found = digits.filter((digit) => inside(items[digit], items[index]));
      const lefts = new Map(found.map((digit) => [digit, turned(items[digit], data.pages[number])[0]]));
      found.sort((a, b) => lefts.get(a) - lefts.get(b));
      const text = found.map((digit) => items[digit].was).join("");
      if (!text || text !== items[index].was.replace(/[^0-9]/g, "")) continue;
      parts.set(index, found);
      for (const digit of found) wholes.set(digit, [...(wholes.get(digit) || []), index]);
    }
  });
}
// What is decided about an item: by itself, or in the other view. The later decision counts.
function state(index) {
  const own = decided.get(index);
  let newest = own && own.verdict !== "doubt" ? own.order : own ? -0.5 : -1, found = own;
  for (const whole of wholes.get(index) || []) {
    const other = decided.get(whole);
    if (!other || other.verdict === "doubt" || other.order <= newest) continue;
    newest = other.order;
    const digits = other.text.replace(/[^0-9]/g, ""), all = parts.get(whole), text = digits[all.indexOf(index)];
    if (other.verdict === "remove") found = { verdict: "remove", text: "", elsewhere: true };
    else if (digits.length !== all.length) found = { verdict: "settled", text: "", elsewhere: true };
    else found = { verdict: text === items[index].was ? "confirm" : "change", text, elsewhere: true };
  }
  const inside = parts.get(index);
  if (!inside?.some((digit) => (decided.get(digit)?.order ?? -1) > newest)) return found;
  const states = inside.map(state);
  if (states.some((each) => each?.verdict === "settled")) return found;
  let place = 0;
  const text = items[index].was.replace(/[0-9]/g, (digit) => { const each = states[place++]; return !each || each.verdict === "doubt" ? digit : each.text; });
  if (!states.every((each) => each && each.verdict !== "doubt")) return { verdict: "", text, elsewhere: true };
  return { verdict: text === items[index].was ? "confirm" : "change", text, elsewhere: true };
}
// Whether nothing is left to decide. What was drawn at random or planted needs its own decision.
function settled(index) {
  return decided.has(index) || (items[index].task === "review" && !!state(index)?.verdict);
}

// The cells of all decisions, in the order of the columns.
function rows() {
  const ordered = [...decided].sort((a, b) => a[1].order - b[1].order);
  return ordered.map(([index, { verdict, text, at, seconds, by }]) => {
    const item = items[index], page = data.pages[item.at[0]];
    const row = { ...item, file: page.file, page: page.page, sha256: page.sha256, text, decision: verdict, by: by ?? reviewer, at, seconds };
    return data.columns.map((name) => row[name]);
  });
}
function csv() {
  const quote = (value) => /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  return [data.columns, ...rows()].map((row) => row.map(quote).join(",") + "\r\n").join("");
}

// A box of the page as given, in pixels of the page as shown: after quarter turns to the left; and back.
function rotate([left, top, width, height], wide, high, turns) {
  for (let n = 0; n < turns; n++) [left, top, width, height, wide, high] = [top, wide - left - width, height, width, high, wide];
  return [left, top, width, height];
}
function turned(item, page) {
  return rotate([item.left, item.top, item.width, item.height], page.width, page.height, page.turns);
}
function shownSize(page) {
  return page.turns % 2 ? [page.height, page.width] : [page.width, page.height];
}
function turnedBack(box, page) {
  return rotate(box, ...shownSize(page), (4 - page.turns) % 4);
}
