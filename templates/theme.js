// The reader's choice of light or dark, and what a page needs to be used by keyboard. A page is readable without it.
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

  // A search box shows those of a list whose number begins as typed, or whose text holds what is typed.
  function filter(box) {
    const items = [...document.querySelectorAll(box.dataset.filter)];
    const said = box.parentElement.querySelector("output");
    box.addEventListener("input", () => {
      const wanted = box.value.trim().toLowerCase();
      let shown = 0;
      for (const item of items) {
        const found = /^\d+$/.test(wanted)
          ? item.dataset.number.startsWith(wanted)
          : item.textContent.toLowerCase().includes(wanted);
        item.hidden = !found;
        shown += !item.hidden;
      }
      said.textContent = wanted ? `${shown} of ${items.length}` : "";
    });
    box.parentElement.hidden = false;
  }

  const byNumber = (one, two) => one.number - two.number;
  const byArea = (one, two) => (two.auc ?? 0) - (one.auc ?? 0) || byNumber(one, two);
  const byConcept = (one, two) =>
    !one.concept - !two.concept || (one.concept ?? "").localeCompare(two.concept ?? "") || byArea(one, two);
  const ORDERS = { number: byNumber, concept: byConcept, auc: byArea };

  // A choice of order sorts lists of units: by number, by the concept that they follow, or by how well they do.
  function order(choice) {
    choice.addEventListener("change", () => {
      const compare = ORDERS[choice.value];
      for (const list of document.querySelectorAll(choice.dataset.order)) {
        list.append(...[...list.children].sort((one, two) => compare(one.dataset, two.dataset)));
      }
    });
  }

  // A figure at several checkpoints: one at a time, chosen by a slider. Lines of measures mark the one that is shown.
  function timeline(box) {
    const steps = [...box.querySelectorAll(":scope > .steps > .step")];
    const frame = box.querySelector(":scope > .steps");
    const lines = [...box.querySelectorAll(".course-line")];
    const slider = document.createElement("label");
    const range = document.createElement("input");
    const said = document.createElement("output");
    Object.assign(range, { type: "range", min: 0, max: steps.length - 1, step: 1, value: steps.length - 1 });
    slider.className = "slider";
    slider.append("Checkpoint", range, said);
    const show = () => {
      const chosen = Number(range.value);
      said.textContent = steps[chosen].dataset.step;
      range.setAttribute("aria-valuetext", steps[chosen].dataset.step);
      steps.forEach((step, number) => (step.hidden = number !== chosen));
      for (const line of lines) {
        const marks = [...line.querySelectorAll("[data-at]")];
        marks.forEach((mark) => mark.classList.toggle("here", Number(mark.dataset.at) === chosen));
      }
    };
    // What the reader chose at one checkpoint, such as a unit, holds at all of them.
    const choices = (step) => [...step.querySelectorAll("input, select")];
    box.addEventListener("change", (event) => {
      const step = event.target.closest(".step");
      if (!step || step.hidden) return; // the slider, or an echo of this
      const place = choices(step).indexOf(event.target);
      for (const other of steps) {
        const own = other === step ? undefined : choices(other)[place];
        if (!own) continue;
        own.value = event.target.value;
        own.checked = event.target.checked;
        own.dispatchEvent(new Event("change", { bubbles: true }));
      }
    });
    range.addEventListener("input", show);
    frame.removeAttribute("tabindex"); // it no longer scrolls
    box.classList.add("one");
    box.prepend(slider);
    show();
  }

  // A card that is shown because the pointer or the focus is on its citation goes away by Escape.
  function cards() {
    const all = [...document.querySelectorAll(".citation")];
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape") all.forEach((one) => one.classList.add("put-away"));
    });
    for (const one of all) {
      for (const leaving of ["mouseleave", "focusout"]) {
        one.addEventListener(leaving, () => one.classList.remove("put-away"));
      }
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".timeline:not(.side-by-side)").forEach(timeline);
    document.querySelectorAll("[data-order]").forEach(order);
    document.querySelectorAll("[data-filter]").forEach(filter);
    document.querySelectorAll(".theme-toggle").forEach(toggle);
    scrollable();
    cards();
    if (window.matchMedia("(max-width: 70rem)").matches) {
      document.querySelectorAll(".contents > details").forEach((details) => details.removeAttribute("open"));
    }
  });
})();
