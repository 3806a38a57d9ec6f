// The bar that chooses what is shown: by file, form, field, mark, confidence, and what is still to decide.
const NO_FILTER = { file: "", form: "", field: "", mark: "", most: 100, open: false };
let filter = { ...NO_FILTER };
const marksOf = (item) => item.marks.split(";").filter(Boolean).map((mark) => mark.split("=")[0]);
function passes(index) {
  const item = items[index];
  return (!filter.file || data.pages[item.at[0]].file.includes(filter.file))
    && (!filter.form || item.form === filter.form) && (!filter.field || item.name === filter.field)
    && (!filter.mark || (filter.mark === "any" ? item.marks !== "" : marksOf(item).includes(filter.mark)))
    && item.confidence * 100 <= filter.most && !(filter.open && settled(index));
}
const isFiltered = () => Object.keys(NO_FILTER).some((name) => filter[name] !== NO_FILTER[name]);

const filterCount = make("summary");
const filterBar = make("details", { class: "filters" }, filterCount);
const controls = {};
function choice(name, label, values) {
  controls[name] = make("select", { "data-filter": name }, make("option", { value: "" }, "all"), ...values.map(([value, words]) => make("option", { value }, words)));
  return make("label", {}, label, controls[name]);
}
function buildFilters() {
  const distinct = (of) => [...new Set(items.flatMap(of))].filter(Boolean).sort().map((value) => [value, value]);
  const words = new Map();
  for (const item of items) marksOf(item).forEach((mark, n) => { if (!words.has(mark)) words.set(mark, item.marks.includes("=") ? mark : item.words[n] || mark); });
  const files = [...new Set(data.pages.map((page) => page.file))];
  controls.file = make("input", { type: "search", "data-filter": "file", list: "files", size: "16" });
  controls.most = make("input", { type: "number", "data-filter": "most", min: "0", max: "100", step: "any", value: "100" });
  controls.open = make("input", { type: "checkbox", "data-filter": "open" });
  const bar = make("div", { class: "bar" }, make("label", {}, "File has", controls.file), make("datalist", { id: "files" }, ...files.slice(0, 500).map((value) => make("option", { value }))));
  const forms = distinct((item) => item.form), fields = distinct((item) => item.name);
  if (forms.length) bar.append(choice("form", "Form", forms));
  if (fields.length) bar.append(choice("field", "Field", fields));
  if (words.size) bar.append(choice("mark", "Mark", [["any", "any mark"], ...words]));
  bar.append(make("label", {}, "Confidence at most %", controls.most), make("label", { class: "tick" }, controls.open, "only what is to decide"),
    make("button", { click: () => { clearFilter(); show(view); } }, "Show all"));
  bar.addEventListener("input", () => {
    for (const [name, control] of Object.entries(controls)) filter[name] = name === "open" ? control.checked : name === "most" ? (control.value === "" ? 100 : Number(control.value)) : control.value;
    show(view, true);
  });
  filterBar.append(bar);
}
function clearFilter() {
  filter = { ...NO_FILTER };
  for (const [name, control] of Object.entries(controls)) name === "open" ? (control.checked = false) : (control.value = filter[name]);
}
function openFilters() {
  filterBar.open = true;
  controls.file.focus();
}
function countShown(shown, all, what) {
  filterCount.textContent = isFiltered() ? `Filter (f): ${shown} of ${all} ${what} shown` : `Filter (f): all ${all} ${what} shown`;
}
