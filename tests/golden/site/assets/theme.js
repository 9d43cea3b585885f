// The reader's choice of light or dark, and what any page needs to be used by keyboard. A page is readable without it.
// It runs before the body is parsed, so that the choice is there at the first paint.
(() => {
  "use strict";
  const root = document.documentElement;
  const dark = window.matchMedia("(prefers-color-scheme: dark)");

  function stored() {
    try {
      return localStorage.getItem("whatfires-theme");
    } catch {
      return null; // storage is refused: private reading, file://
    }
  }

  function store(theme) {
    try {
      localStorage.setItem("whatfires-theme", theme);
    } catch {
      // the choice then lasts as long as the page
    }
  }

  const kept = stored();
  if (kept === "light" || kept === "dark") root.dataset.theme = kept;

  const shown = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");

  function toggle(button) {
    const label = () => {
      const next = shown() === "dark" ? "light" : "dark";
      button.textContent = next === "dark" ? "Dark" : "Light";
      button.setAttribute("aria-label", `${button.textContent}: show this site in ${next} colours`);
    };
    button.addEventListener("click", () => {
      root.dataset.theme = shown() === "dark" ? "light" : "dark";
      store(root.dataset.theme);
      label();
    });
    dark.addEventListener("change", label);
    label();
    button.hidden = false;
  }

  // What scrolls sideways must be reached by keyboard: a table of Markdown gets a box, code gets a tab stop.
  function scrollable() {
    document.querySelectorAll(".prose > table").forEach((table, i) => {
      const box = document.createElement("div");
      box.className = "scroll";
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", `Table ${i + 1}`);
      box.tabIndex = 0;
      table.replaceWith(box);
      box.append(table);
    });
    document.querySelectorAll("pre:not([tabindex]), div.math").forEach((pre) => {
      if (pre.scrollWidth > pre.clientWidth) pre.tabIndex = 0;
    });
  }

  // A card that is shown because the pointer or the focus is on its citation, or its note's number, goes away by Escape.
  function cards() {
    const all = [...document.querySelectorAll(".citation, sup:has(> .footnote-ref)")];
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") all.forEach((one) => one.classList.add("put-away"));
    });
    for (const one of all) {
      for (const leaving of ["mouseleave", "focusout"]) {
        one.addEventListener(leaving, () => one.classList.remove("put-away"));
      }
    }
  }

  // The section that is being read is marked in the contents.
  function place() {
    const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
    const headings = [...document.querySelectorAll(".prose > :is(h2, h3)[id]")].filter((one) => links.has(one.id));
    if (!headings.length) return;
    const mark = () => {
      const here = headings.findLast((one) => one.getBoundingClientRect().top < window.innerHeight / 3)?.id;
      for (const [id, link] of links) {
        if (id === here) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      }
    };
    const observer = new IntersectionObserver(mark, { rootMargin: "0px 0px -66% 0px" });
    headings.forEach((one) => observer.observe(one));
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".theme-toggle").forEach(toggle);
    scrollable();
    cards();
    place();
    const narrow = window.matchMedia("(max-width: 70rem)").matches;
    document.querySelectorAll(".contents > details").forEach((details) => {
      if (narrow) details.removeAttribute("open");
      details.dataset.set = "";
    });
  });
})();
