// Full-text search: all words must be in a post, as beginnings of its words. Those with them in the title come first.
/* global searchIndex */
(() => {
  "use strict";
  const MOST = 50; // posts that are shown
  const AROUND = 70; // characters of text on each side of the first word that is found
  const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  function matcher(words) {
    const patterns = words.map((word) => new RegExp(`(?<![\\p{L}\\p{N}])${RegExp.escape?.(word) ?? word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")}`, "gu"));
    return (text) => patterns.map((pattern) => [...text.matchAll(pattern)].map((match) => match.index));
  }

  function found(query, posts) {
    const words = plain(query).split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const places = matcher(words);
    const rows = [];
    for (const post of posts) {
      const title = places(post.plainTitle);
      const text = places(post.plainText);
      if (!words.every((_, i) => title[i].length || text[i].length)) continue;
      const score = words.reduce((sum, _, i) => sum + 100 * Boolean(title[i].length) + Math.min(text[i].length, 20), 0);
      rows.push({ post, score, at: text.flat().sort((a, b) => a - b)[0] ?? 0, words });
    }
    return rows.sort((a, b) => b.score - a.score || (a.post.date < b.post.date ? 1 : -1));
  }

  function item({ post, at, words }) {
    const row = document.createElement("li");
    const link = document.createElement("a");
    Object.assign(link, { href: post.path, textContent: post.title, dir: "auto" });
    const heading = document.createElement("h2");
    heading.append(link);
    const passage = document.createElement("p");
    passage.dir = "auto";
    // Letters with accents are one character longer once they are taken apart: then the passage begins a little early.
    const least = at + words.join(" ").length;
    let [start, end] = [Math.max(0, at - AROUND), least + AROUND];
    // Whole words, where the writing has blanks between them.
    const [first, last] = [post.text.indexOf(" ", start) + 1, post.text.lastIndexOf(" ", end)];
    if (start && first && first <= at) start = first;
    if (end < post.text.length && last >= least) end = last;
    const text = post.text.slice(start, end);
    passage.append(start ? "… " : "", ...marked(text, words), start + text.length < post.text.length ? " …" : "");
    row.append(heading, passage);
    return row;
  }

  function marked(text, words) {
    const ends = plain(text).length === text.length ? matcher(words)(plain(text)) : [];
    const spans = ends.flatMap((starts, i) => starts.map((start) => [start, start + words[i].length])).sort((a, b) => a[0] - b[0]);
    const parts = [];
    let last = 0;
    for (const [start, end] of spans) {
      if (start < last) continue;
      const mark = document.createElement("mark");
      mark.textContent = text.slice(start, end);
      parts.push(text.slice(last, start), mark);
      last = end;
    }
    return [...parts, text.slice(last)];
  }

  document.addEventListener("DOMContentLoaded", () => {
    const form = document.querySelector(".search-site");
    const box = form.querySelector("input");
    const said = form.querySelector("output");
    const list = document.querySelector(".search-results");
    const posts = searchIndex.map(([path, title, date, tags, text]) => ({
      path, title, date, text: `${text} ${tags}`, plainTitle: plain(title), plainText: plain(`${text} ${tags}`),
    }));
    const show = () => {
      const rows = found(box.value, posts);
      said.textContent = box.value.trim() ? `${rows.length} of ${posts.length} pages` : "";
      list.replaceChildren(...rows.slice(0, MOST).map(item));
      try {
        history.replaceState(null, "", box.value ? `?q=${encodeURIComponent(box.value)}` : location.pathname);
      } catch {
        // file:// lets no page change its address
      }
    };
    form.addEventListener("submit", (event) => event.preventDefault());
    box.addEventListener("input", show);
    form.hidden = false;
    box.value = new URLSearchParams(location.search).get("q") ?? "";
    box.focus();
    show();
  });
})();
