// Decisions are saved by `batchocr review --serve`, if the page comes from it; otherwise nothing here does anything.
// `rows()` returns the cells of all decisions as texts, `changed()` shows `words()`.
function connect(columns, rows, changed) {
  const block = document.getElementById("saved"), url = block?.dataset.saveUrl;
  const given = url ? JSON.parse(block.textContent) : { key: [], rows: [], by: "" };
  const places = given.key.map((name) => columns.indexOf(name));
  const keyOf = (row) => JSON.stringify(places.map((place) => String(row[place])));
  const known = new Map(); // what this page and the server both have: text of a row by its key
  let isWaiting = false, isSending = false, isSaved = true, words = "saved", retry = 0;

  async function send() {
    isWaiting = false;
    isSending = true;
    const now = new Map(rows().map((row) => [keyOf(row), row.map(String)]));
    const put = [...now].filter(([key, row]) => known.get(key) !== JSON.stringify(row));
    const drop = [...known.keys()].filter((key) => !now.has(key));
    try {
      if (put.length || drop.length) {
        const body = JSON.stringify({ put: put.map(([, row]) => row), drop: drop.map((key) => JSON.parse(key)) });
        const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body });
        if (!answer.ok) throw new Error(await answer.text());
        for (const [key, row] of put) known.set(key, JSON.stringify(row));
        for (const key of drop) known.delete(key);
      }
      isSaved = !isWaiting;
      words = "saved";
    } catch (fault) {
      isSaved = false;
      words = fault instanceof TypeError ? "server lost, kept in this browser" : `NOT saved: ${fault.message.trim()}`;
      clearTimeout(retry);
      retry = setTimeout(save, 5000);
    }
    isSending = false;
    changed();
    if (isWaiting) send();
  }
  // Save what changed since the last time. Requests are sent one after the other.
  function save() {
    if (!url) return;
    isWaiting = true;
    isSaved = false;
    if (!isSending) { isSending = true; setTimeout(send); }
  }
  return {
    isUsed: Boolean(url),
    by: given.by,
    isSaved: () => isSaved,
    words: () => (isSaved || words !== "saved" ? words : "saving"),
    save,
    // The decisions that were saved before, as objects. Those that `takes` returns true for are this page's from now on.
    restore(takes) {
      for (const row of given.rows) {
        if (takes(Object.fromEntries(columns.map((name, i) => [name, row[i]])))) known.set(keyOf(row), JSON.stringify(row));
      }
    },
  };
}

const server = connect(data.columns, rows, () => refresh());
// What the server has and this browser has not, or has older, is taken from the server, and comes before the next step.
// What was added by pointing is not among the items; the server keeps it.
function restore() {
  const placeOf = (row) => JSON.stringify(["file", "page", "sha256", "kind", "name", "left", "top", "width", "height", "task"].map((name) => String(row[name])));
  const found = new Map(items.map((item, i) => [placeOf({ ...item, ...data.pages[item.at[0]], width: item.width, height: item.height }), i]));
  let order = steps.length - 0.4;
  server.restore((row) => {
    const index = found.get(placeOf(row)), own = decided.get(index);
    if (index === undefined) return false;
    if (!own || own.at < row.at) decided.set(index, { verdict: row.decision, text: row.text, at: row.at, seconds: Number(row.seconds), by: row.by, order });
    order += 1e-7;
    return true;
  });
  reviewer ||= server.by;
  server.save();
}
