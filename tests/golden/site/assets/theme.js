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
    document.querySelectorAll("pre:not([tabindex])").forEach((pre) => {
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
        const { number, text } = item.dataset;
        item.hidden = /^\d+$/.test(wanted) ? !number.startsWith(wanted) : !text.toLowerCase().includes(wanted);
        shown += !item.hidden;
      }
      said.textContent = wanted ? `${shown} of ${items.length}` : "";
    });
    box.parentElement.hidden = false;
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-filter]").forEach(filter);
    document.querySelectorAll(".theme-toggle").forEach(toggle);
    scrollable();
    if (window.matchMedia("(max-width: 70rem)").matches) {
      document.querySelectorAll(".contents > details").forEach((details) => details.removeAttribute("open"));
    }
  });
})();

// Switches the unit that colours the text, and reads out the activation under the pointer or the text cursor.
(() => {
  "use strict";
  const NAMES = { " ": "space", "\n": "newline", "\t": "tab", "\f": "form feed", "\r": "carriage return" };
  const number = (value) => value.toFixed(2).replace("-", "−");
  const name = (character) => NAMES[character] ?? `'${character}'`;

  function place(characters) {
    // line and column of each character, both from 1
    let line = 1;
    let column = 0;
    return characters.map((character) => {
      column += 1;
      const here = [line, column];
      if (character === "\n") [line, column] = [line + 1, 0];
      return here;
    });
  }

  function enliven(figure) {
    const data = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    const characters = Array.from(data.text); // by code point, as Python counts
    const places = place(characters);
    const text = figure.querySelector("pre.text");
    const spans = Array.from(text.children);
    const index = new Map(spans.map((span, i) => [span, i]));
    const readout = figure.querySelector(".readout");
    let unit = data.units[0];
    let cursor = -1;
    let column = 1; // where up and down want to be

    function read(i) {
      const value = document.createElement("b");
      value.textContent = number(unit.values[i]);
      readout.replaceChildren(
        `${name(characters[i])}, line ${places[i][0]}, column ${places[i][1]}: ${unit.name} `,
        value,
      );
    }

    function show(chosen) {
      unit = chosen;
      spans.forEach((span, i) => {
        span.className = `level-${unit.levels[i]}${characters[i] === span.textContent ? "" : " sign"}`;
        span.setAttribute("title", `${name(characters[i])} ${number(unit.values[i])}`);
      });
      figure.querySelector(".showing .name").textContent = unit.name;
      figure.querySelector(".showing .note").textContent = unit.note;
      figure.querySelector(".scale-low").textContent = number(unit.low);
      figure.querySelector(".scale-high").textContent = number(unit.high);
      text.setAttribute("aria-label", `Text coloured by the activation of ${unit.name}`);
      if (cursor >= 0) {
        spans[cursor].classList.add("cursor");
        read(cursor);
      }
    }

    function move(to) {
      if (cursor >= 0) spans[cursor].classList.remove("cursor");
      cursor = Math.max(0, Math.min(characters.length - 1, to));
      spans[cursor].classList.add("cursor");
      spans[cursor].scrollIntoView({ block: "nearest" });
      read(cursor);
    }

    function toLine(line) {
      // the wanted column of a line, or its last character
      let found = -1;
      places.forEach(([l, c], i) => {
        if (l === line && c <= column) found = i;
      });
      return found;
    }

    const keys = {
      ArrowLeft: () => cursor - 1,
      ArrowRight: () => cursor + 1,
      Home: () => cursor - places[cursor][1] + 1,
      End: () => places.findLastIndex(([line]) => line === places[cursor][0]),
    };

    text.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || !characters.length) return;
      const vertical = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!vertical && !keys[event.key]) return;
      event.preventDefault();
      if (cursor < 0) {
        move(0);
        return;
      }
      if (vertical) {
        const to = toLine(places[cursor][0] + vertical);
        if (to >= 0) move(to);
      } else {
        move(keys[event.key]());
        column = places[cursor][1];
      }
    });
    text.addEventListener("focus", () => {
      if (cursor < 0 && characters.length && text.matches(":focus-visible")) move(0);
    });
    text.addEventListener("click", (event) => {
      if (!index.has(event.target)) return;
      move(index.get(event.target));
      column = places[cursor][1];
    });
    text.addEventListener("pointerover", (event) => {
      if (event.pointerType === "mouse" && index.has(event.target)) read(index.get(event.target));
    });
    text.addEventListener("pointerleave", () => {
      if (cursor >= 0) read(cursor);
    });

    const units = figure.querySelector(".units");
    if (units) {
      units.addEventListener("change", (event) => show(data.units[Number(event.target.value)]));
      units.hidden = false;
      figure.querySelector(".others").hidden = true;
    }
    readout.hidden = false;
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("figure.activation-text > .content").forEach(enliven); // a control is a second one
  });
})();

// Arrow keys go from cell to cell of an atlas, which is then one stop of the tab key. Without it each cell is a stop.
(() => {
  "use strict";
  const STEPS = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };

  function enliven(figure) {
    const cells = [...figure.querySelectorAll("[data-row]")].map((place) => ({
      place,
      row: Number(place.dataset.row),
      column: Number(place.dataset.column),
    }));
    const at = (event) => cells.find((cell) => cell.place === event.target);
    const stop = (chosen) => cells.forEach((cell) => { cell.place.tabIndex = cell === chosen ? 0 : -1; });

    // The nearest cell that way; what lies aside counts twice.
    function next(here, [down, right]) {
      const ahead = cells
        .map((cell) => [cell, cell.row - here.row, cell.column - here.column])
        .filter(([, rows, columns]) => rows * down + columns * right > 0)
        .map(([cell, rows, columns]) => [cell, Math.abs(rows) * (down ? 1 : 2) + Math.abs(columns) * (right ? 1 : 2)]);
      return ahead.sort((one, other) => one[1] - other[1])[0]?.[0];
    }

    const map = figure.querySelector(".map");
    map.addEventListener("focusin", (event) => stop(at(event)));
    map.addEventListener("keydown", (event) => {
      const here = at(event);
      if (!here || !STEPS[event.key]) return;
      event.preventDefault();
      next(here, STEPS[event.key])?.place.focus();
    });
    stop(cells[0]);
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("figure.atlas").forEach(enliven);
  });
})();

// Draws the head that is chosen among the small ones, and reads out the weight under the pointer or the cursor.
(() => {
  "use strict";
  const STEPS = 255; // of the square roots of weights, as they travel

  function enliven(figure) {
    const data = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
    const table = figure.querySelector(".weights");
    const rows = Array.from(table.querySelectorAll("tbody tr"));
    const cells = rows.map((row) => Array.from(row.querySelectorAll("i")));
    const places = new Map(cells.flatMap((row, from) => row.map((cell, to) => [cell, [from, to]])));
    const readout = figure.querySelector(".readout");
    const percent = (share) => (100 * share).toFixed(0);
    let head = data.heads[data.layer][data.head];
    let roots = decode(head);
    let cursor = null;

    function decode({ roots }) {
      return Uint8Array.from(atob(roots), (letter) => letter.charCodeAt(0));
    }

    function seen(from, to) {
      return !data.causal || to <= from;
    }

    function read(from, to) {
      const weight = document.createElement("b");
      weight.textContent = ((roots[from * data.tokens.length + to] / STEPS) ** 2).toFixed(2);
      readout.replaceChildren(
        `${data.tokens[from]} (${from + 1}) looks at ${data.tokens[to]} (${to + 1}): `,
        seen(from, to) ? weight : "not, it comes later",
      );
    }

    function show(chosen) {
      head = chosen;
      roots = decode(head);
      cells.forEach((row, from) => {
        row.forEach((cell, to) => {
          const level = 10 + Math.round((10 * roots[from * row.length + to]) / STEPS);
          if (seen(from, to)) cell.className = `level-${level}`;
        });
        const [place, weight] = head.most[from];
        const note = document.createElement("span");
        note.className = "note";
        note.textContent = weight.toFixed(2);
        rows[from].querySelector(".most").replaceChildren(`${data.tokens[place]} `, note);
      });
      figure.querySelector(".name").textContent = head.name;
      for (const share of ["previous", "same", "first"]) {
        figure.querySelector(`.note .${share}`).textContent = percent(head[share]);
      }
      figure.querySelector(".note .distance").textContent = head.distance.toFixed(1);
      if (cursor) move(...cursor);
    }

    function move(from, to) {
      if (cursor) cells[cursor[0]][cursor[1]].classList.remove("cursor");
      const last = data.tokens.length - 1;
      cursor = [Math.max(0, Math.min(last, from)), Math.max(0, Math.min(last, to))];
      const cell = cells[cursor[0]][cursor[1]];
      cell.classList.add("cursor");
      cell.scrollIntoView({ block: "nearest", inline: "nearest" });
      read(...cursor);
    }

    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    table.addEventListener("keydown", (event) => {
      if (!steps[event.key] || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const [down, right] = steps[event.key];
      if (cursor) move(cursor[0] + down, cursor[1] + right);
      else move(0, 0);
    });
    table.addEventListener("pointerover", (event) => {
      if (places.has(event.target)) read(...places.get(event.target));
    });
    table.addEventListener("click", (event) => {
      if (places.has(event.target)) move(...places.get(event.target));
    });
    figure.querySelector(".heads").addEventListener("change", (event) => {
      const [layer, number] = event.target.value.split(".").map(Number);
      show(data.heads[layer][number]);
    });
    for (const input of figure.querySelectorAll(".heads input")) input.hidden = false;
    readout.hidden = false;
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("figure.attention > .content").forEach(enliven); // a control is a second one
  });
})();

// Reads out the best guesses of the cell under the pointer or the cursor.
(() => {
  "use strict";

  function enliven(figure) {
    const frame = figure.querySelector(".scroll");
    const columns = Array.from(frame.querySelectorAll("thead th"), (cell) => cell.textContent);
    const rows = Array.from(frame.querySelectorAll("tbody tr"), (row) => Array.from(row.querySelectorAll("td")));
    const places = new Map(rows.flatMap((row, down) => row.map((cell, right) => [cell, [down, right]])));
    const readout = figure.querySelector(".readout");
    let cursor = null;

    function read(cell) {
      const guesses = document.createElement("b");
      guesses.textContent = cell.title;
      const layer = cell.parentElement.querySelector("th").textContent;
      readout.replaceChildren(`After ${columns[cell.cellIndex]}, layer ${layer}: `, guesses);
    }

    function move(down, right) {
      if (cursor) rows[cursor[0]][cursor[1]].classList.remove("cursor");
      cursor = [Math.max(0, Math.min(rows.length - 1, down)), Math.max(0, Math.min(rows[0].length - 1, right))];
      const cell = rows[cursor[0]][cursor[1]];
      cell.classList.add("cursor");
      cell.scrollIntoView({ block: "nearest", inline: "nearest" });
      read(cell);
    }

    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    frame.addEventListener("keydown", (event) => {
      if (!steps[event.key] || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      const [down, right] = steps[event.key];
      if (cursor) move(cursor[0] + down, cursor[1] + right);
      else move(0, 0);
    });
    frame.addEventListener("pointerover", (event) => {
      const cell = event.target.closest("tbody td");
      if (cell) read(cell);
    });
    frame.addEventListener("click", (event) => {
      const cell = event.target.closest("tbody td");
      if (cell) move(...places.get(cell));
    });
    readout.hidden = false;
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("figure.logit-lens > .content").forEach(enliven); // a control is a second one
  });
})();
