// Search over all units of a model. Of an index in parts a query loads the directory, once, and one part.
// Parts are scripts, as pages from files may load nothing else; unit_search.py says what is in them.
(() => {
  "use strict";
  const MOST = 50; // units that are shown
  const LONGEST = 40; // characters of a word that beginnings of parts tell apart
  const WIDE = 1000; // numbers that one folder holds
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  const words = (text) => plain(text).match(/[\p{L}\p{N}]+/gu) ?? [];

  const told = new Map(); // what scripts gave, by number; the directory by "index"
  window.unitSearch = {
    open: (directory) => told.set("index", directory),
    take: (number, total, rows) => told.set(number, { total, rows }),
  };

  // As unit_places.numbered has it.
  function numbered(number) {
    const start = number - (number % WIDE);
    return start ? `${start}-${start + WIDE - 1}/${number}` : `${number}`;
  }

  function loaded(folder, name) {
    if (told.has(name)) return Promise.resolve(told.get(name));
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = `${folder}${name === "index" ? name : numbered(name)}.js`;
      script.addEventListener("load", () => (told.has(name) ? resolve(told.get(name)) : reject()));
      script.addEventListener("error", reject);
      script.addEventListener("load", () => script.remove());
      document.head.append(script);
    });
  }

  // The part that holds all units with a word that begins so: the widest that begins with it, else the narrowest that
  // it begins with, if that holds all of its own.
  function partOf(word, parts) {
    let best = null;
    parts.forEach((written, number) => {
      const whole = !written.endsWith("+");
      const beginning = whole ? written : written.slice(0, -1);
      const below = beginning.startsWith(word);
      if (!below && !(whole && word.startsWith(beginning))) return;
      if (!best || (below ? !best.below || beginning.length < best.beginning.length : !best.below && beginning.length > best.beginning.length)) {
        best = { number, beginning, whole, below };
      }
    });
    return best;
  }

  // Of several words the one whose part is whole, and then the longest, tells where to look for all.
  function choose(asked, parts) {
    const found = asked.map((word) => partOf(word.slice(0, LONGEST), parts)).filter(Boolean);
    return found.sort((a, b) => b.whole - a.whole || b.beginning.length - a.beginning.length)[0];
  }

  function matching(rows, asked, layers) {
    const found = [];
    rows.forEach((row, place) => {
      const [layer, unit, label, labels = "", concept = "", score = 0] = row;
      const own = [String(unit), ...words(label), ...words(labels), ...words(concept)];
      const every = [...own, ...words(layers[layer][0])];
      if (!asked.every((word) => every.some((one) => one.startsWith(word)))) return;
      const exact = asked.reduce((sum, word) => sum + every.includes(word) + (word === own[0]), 0);
      found.push({ layer: layers[layer], unit, label, labels, concept, score, exact, place });
    });
    const byScore = asked.some((word) => !/^\d+$/.test(word)); // of a concept the units that follow it best
    return found.sort((a, b) => b.exact - a.exact || byScore * (b.score - a.score) || a.place - b.place);
  }

  function item({ layer: [name, folder], unit, label, labels, concept, score }, root) {
    const row = document.createElement("li");
    const link = document.createElement("a");
    Object.assign(link, { href: `${root}${folder}/${numbered(unit)}/index.html`, textContent: label, dir: "auto" });
    row.append(link);
    for (const text of [`in ${name}`, labels, concept && `${concept} ${score.toFixed(3)}`]) {
      if (!text) continue;
      const more = document.createElement("span");
      Object.assign(more, { className: "label", textContent: text, dir: "auto" });
      row.append(" ", more);
    }
    return row;
  }

  function enliven(search) {
    const { search: folder, root } = search.dataset;
    const box = search.querySelector("input");
    const said = search.querySelector("output");
    const list = search.querySelector("ol");

    async function answer(asked) {
      const { layers, parts } = await loaded(folder, "index");
      const part = choose(asked, parts);
      if (!part) return { found: [], text: "0 units" };
      const { rows, total } = await loaded(folder, part.number);
      const found = matching(rows, asked, layers);
      const count = (number) => `${number.toLocaleString("en")} ${number === 1 ? "unit" : "units"}`;
      const text = part.whole ? count(found.length) : `${count(asked.length === 1 ? total : found.length)}${asked.length === 1 ? "" : " or more"}`;
      return { found, text: found.length > MOST || !part.whole ? `${text}; the first ${Math.min(MOST, found.length)} are shown` : text };
    }

    box.addEventListener("input", async () => {
      const query = box.value;
      const asked = words(query);
      let shown = { found: [], text: "" };
      if (asked.length) {
        try {
          shown = await answer(asked);
        } catch {
          shown = { found: [], text: "The index could not be loaded" };
        }
      }
      if (box.value !== query) return; // a later one is asked for
      said.textContent = shown.text;
      list.replaceChildren(...shown.found.slice(0, MOST).map((one) => item(one, root)));
    });
    search.hidden = false;
  }

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll("[data-search]").forEach(enliven));
})();
