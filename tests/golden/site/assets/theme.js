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

// Switches the unit that colours the text, and reads out the activation under the pointer or the text cursor.
// The text is never more than what the page holds: highlights colour it without a node for each character, where the
// browser has them, and only blocks in sight are coloured.
(() => {
  "use strict";
  const NAMES = { " ": "space", "\n": "newline", "\t": "tab", "\f": "form feed", "\r": "carriage return" };
  const MARKS = { "\n": "end", "\t": "tab", "\f": "feed", "\r": "return" };
  const number = (value, decimals) => value.toFixed(decimals).replace(/^-(?=.*[1-9])/, "−").replace(/^-/, "");

  // Differences of codes, compressed by zlib, see generator/quantised.py.
  async function unpacked(script) {
    const bytes = Uint8Array.from(atob(script.textContent), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    const codes = new Uint8Array(await new Response(stream).arrayBuffer());
    for (let i = 1; i < codes.length; i += 1) codes[i] += codes[i - 1];
    return codes;
  }

  function textNodes(block) {
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    return found;
  }

  // Without the runs of the first unit: the fewer pieces a line is in, the faster it is painted.
  function plain(block) {
    block.querySelectorAll("i").forEach((run) => run.replaceWith(...run.childNodes));
    block.normalize();
  }

  // Colours blocks by ranges in their text, and what stands alone by its class, because highlights leave tabs and line
  // ends blank. One highlight for each level serves all figures of the page.
  function highlighter(count) {
    const highlights = Array.from({ length: count }, (_, level) => {
      const name = `level-${level}`;
      if (!CSS.highlights.has(name)) CSS.highlights.set(name, new Highlight());
      return CSS.highlights.get(name);
    });
    const painted = new Map(); // block -> [[highlight, range]]

    function clear(block) {
      painted.get(block)?.forEach(([highlight, range]) => highlight.delete(range));
      painted.delete(block);
    }

    function paint(block, runs) {
      clear(block);
      plain(block);
      const nodes = textNodes(block); // what stands alone, and the stretches between
      const ranges = [];
      let node = 0; // which one holds the run
      let from = 0; // where that node starts
      for (const { level, text, start, stop } of runs) {
        while (from + nodes[node].length <= start) from += nodes[node++].length;
        const held = nodes[node];
        if (MARKS[text]) {
          held.parentElement.className = `${MARKS[text]} l${level}`;
        } else if (level >= 0) {
          const range = new StaticRange({
            startContainer: held,
            startOffset: start - from,
            endContainer: held,
            endOffset: stop - from,
          });
          highlights[level].add(range);
          ranges.push([highlights[level], range]);
        }
      }
      painted.set(block, ranges);
    }

    return { clear, paint };
  }

  // The same by elements, one for each run of equal level.
  function elements() {
    function paint(block, runs) {
      const parts = runs.map(({ level, text }) => {
        if (level < 0 && !MARKS[text]) return text;
        const run = document.createElement(MARKS[text] ? "b" : "i");
        run.className = `${MARKS[text] ?? ""} l${level}`;
        run.textContent = text;
        return run;
      });
      block.replaceChildren(...parts);
    }

    return { clear() {}, paint };
  }

  async function enliven(content) {
    const data = JSON.parse(content.querySelector("script[type='application/json']").textContent);
    const packed = content.querySelectorAll("script[type^='application/octet-stream']");
    const pre = content.querySelector("pre.text");
    const readout = content.querySelector(".readout");
    const units = content.querySelector(".units"); // null where there is one only
    const [before, after] = data.around; // characters of a passage beside its peak
    const top = data.levels - 1; // the highest level
    const blocks = Array.from(pre.children);
    const blockNumbers = new Map(blocks.map((block, n) => [block, n]));
    const characters = Array.from(pre.textContent); // by code point, as Python counts
    const starts = []; // of blocks
    let counted = 0;
    for (const block of blocks) {
      starts.push(counted);
      counted += Array.from(block.textContent).length;
    }
    const lines = [0]; // where each starts
    characters.forEach((character, i) => {
      if (character === "\n" && i + 1 < characters.length) lines.push(i + 1);
    });
    // Highlights take the colours of the system where those are forced; elements may keep their own.
    const highlighted = "Highlight" in window && !window.matchMedia("(forced-colors: active)").matches;
    const painter = highlighted ? highlighter(data.levels) : elements();
    const inSight = new Set();
    let unit = data.units[0];
    let codes = await unpacked(packed[0]); // of the unit, one for each character
    let wanted = 0;
    let switched = false; // until then the blocks have their colours from the page
    let cursor = -1;
    let column = 0; // where up and down want to be

    const step = (i) => codes[i] - 1 + unit.first; // counted from the low end of the scale
    const value = (i) => unit.low + (step(i) * (unit.high - unit.low)) / top;
    const level = (i) => (codes[i] === 0 ? -1 : Math.max(0, Math.min(top, step(i)))); // 0: no token stands for it

    // Stretches of one level in a block, by offsets into its text; a character without ink stands alone.
    function runs(block) {
      const n = blockNumbers.get(block);
      const found = [];
      let run = null;
      let offset = 0;
      for (let i = starts[n]; i < (starts[n + 1] ?? characters.length); i += 1) {
        const here = level(i);
        if (!run || run.level !== here || MARKS[characters[i]] || MARKS[run.text]) {
          run = { level: here, text: "", start: offset, stop: offset };
          found.push(run);
        }
        run.text += characters[i];
        offset += characters[i].length;
        run.stop = offset;
      }
      return found;
    }

    function paint(block) {
      painter.paint(block, runs(block));
      block.classList.add("painted");
    }

    function clear(block) {
      painter.clear(block);
      block.classList.remove("painted");
    }

    function lineOf(i) {
      let [low, high] = [0, lines.length];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (lines[middle] <= i) low = middle;
        else high = middle;
      }
      return low;
    }

    // The text node that holds a character, and where in it.
    function place(i) {
      const n = starts.findLastIndex((start) => start <= i);
      let offset = characters.slice(starts[n], i).join("").length;
      for (const node of textNodes(blocks[n])) {
        if (offset < node.length) return [node, offset];
        offset -= node.length;
      }
      return null;
    }

    function index(node, offset) {
      const n = blockNumbers.get(node.parentElement.closest(".block"));
      let before = node.data.slice(0, offset);
      for (const other of textNodes(blocks[n])) {
        if (other === node) return starts[n] + Array.from(before).length;
        before += other.data;
      }
      return -1;
    }

    function box(i) {
      const [node, offset] = place(i);
      if (MARKS[characters[i]]) return node.parentElement.getClientRects()[0]; // a line end goes on in the next line
      const range = document.createRange();
      range.setStart(node, offset);
      range.setEnd(node, offset + characters[i].length);
      return range.getBoundingClientRect();
    }

    function under(event) {
      if (event.target.matches("b")) return index(event.target.firstChild, 0);
      const { clientX: x, clientY: y } = event;
      const at = document.caretPositionFromPoint?.(x, y) ?? document.caretRangeFromPoint?.(x, y);
      const node = at?.offsetNode ?? at?.startContainer;
      if (node?.nodeType !== Node.TEXT_NODE || !pre.contains(node)) return -1;
      const nearest = index(node, at.offset ?? at.startOffset);
      return [nearest, nearest - 1].find((i) => {
        if (i < 0 || i >= characters.length) return false;
        const { left, right, top, bottom } = box(i);
        return left <= x && x <= right && top <= y && y <= bottom;
      }) ?? -1;
    }

    function read(i) {
      const line = lineOf(i);
      const told = document.createElement("b");
      told.textContent = codes[i] === 0 ? "no token" : number(value(i), unit.decimals);
      const name = NAMES[characters[i]] ?? `'${characters[i]}'`;
      readout.replaceChildren(`${name}, line ${line + 1}, column ${i - lines[line] + 1}: ${unit.name} `, told);
    }

    const frame = document.createElement("span");
    frame.className = "cursor";
    frame.hidden = true;

    function enframe() {
      if (cursor < 0) return;
      const outer = pre.getBoundingClientRect();
      const inner = box(cursor);
      frame.style.left = `${inner.left - outer.left - pre.clientLeft + pre.scrollLeft}px`;
      frame.style.top = `${inner.top - outer.top - pre.clientTop + pre.scrollTop}px`;
      frame.style.width = `${inner.width}px`;
      frame.style.height = `${inner.height}px`;
      frame.hidden = false;
    }

    function move(to) {
      cursor = Math.max(0, Math.min(characters.length - 1, to));
      enframe();
      frame.scrollIntoView({ block: "nearest" });
      read(cursor);
    }

    const lineEnd = (line) => (lines[line + 1] ?? characters.length) - 1;
    const inLine = (line) => Math.min(lines[line] + column, lineEnd(line)); // where it is wanted, or the end

    function passage(i) {
      const item = document.createElement("li");
      const [code, peak, told] = ["code", "mark", "span"].map((name) => document.createElement(name));
      const text = (from, to) => characters.slice(Math.max(0, from), to).join("").replaceAll("\n", "↵");
      peak.textContent = text(i, i + 1);
      code.append(text(i - before, i), peak, text(i + 1, i + 1 + after));
      told.className = "value";
      told.textContent = number(value(i), unit.decimals);
      item.append(code, " ", told);
      return item;
    }

    function say(name, words) {
      content.querySelectorAll(name).forEach((one) => one.replaceChildren(words));
    }

    async function show(chosen) {
      wanted = chosen;
      const found = await unpacked(packed[chosen]);
      if (wanted !== chosen) return; // another was chosen since
      unit = data.units[chosen];
      codes = found;
      switched = true;
      pre.classList.add("switched");
      pre.classList.toggle("highlighted", highlighted);
      blocks.forEach((block) => (inSight.has(block) ? paint(block) : block.classList.remove("painted")));
      say(":is(.showing, .passages) .name", unit.name);
      say(".showing .note", unit.note);
      say(".scale-low", number(unit.low, unit.decimals));
      say(".scale-high", number(unit.high, unit.decimals));
      say(".meaning .ends", unit.whole ? "all values" : "the 2nd to the 98th percentile");
      say(".meaning .error", number(unit.error, unit.decimals + 1));
      content.querySelector(".passages").hidden = unit.peaks.length === 0;
      content.querySelector(".passages ol").replaceChildren(...unit.peaks.map(passage));
      pre.setAttribute("aria-label", `Text coloured by the activation of ${unit.name}`);
      const control = units?.querySelector(`input[value="${chosen}"]`);
      if (control) control.checked = true;
      else if (units) units.querySelector("select").selectedIndex = chosen;
      if (cursor >= 0) {
        enframe();
        read(cursor);
      }
      content.dataset.shown = chosen;
    }

    // As the reader would with the pointer, so that whoever listens for it, such as a timeline, hears of it.
    function choose(chosen) {
      const button = units.querySelector(`input[value="${chosen}"]`);
      const list = units.querySelector("select");
      if (button) button.checked = true;
      else list.selectedIndex = chosen;
      (button ?? list).dispatchEvent(new Event("change", { bubbles: true }));
    }

    const moves = {
      ArrowLeft: () => cursor - 1,
      ArrowRight: () => cursor + 1,
      Home: () => lines[lineOf(cursor)],
      End: () => lineEnd(lineOf(cursor)),
    };
    const vertical = { ArrowUp: -1, ArrowDown: 1 };
    const neighbours = { n: 1, p: -1 };

    pre.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || !characters.length) return;
      const { key } = event;
      if (!moves[key] && !vertical[key] && !neighbours[key]) return;
      event.preventDefault();
      if (neighbours[key]) {
        const count = data.units.length;
        if (count > 1) choose((wanted + neighbours[key] + count) % count);
      } else if (cursor < 0) {
        move(0);
      } else if (vertical[key]) {
        const line = lineOf(cursor) + vertical[key];
        if (line >= 0 && line < lines.length) move(inLine(line));
      } else {
        move(moves[key]());
        column = cursor - lines[lineOf(cursor)];
      }
    });
    pre.addEventListener("focus", () => {
      if (cursor < 0 && characters.length && pre.matches(":focus-visible")) move(0);
    });
    pre.addEventListener("click", (event) => {
      const i = under(event);
      if (i < 0) return;
      move(i);
      column = i - lines[lineOf(i)];
    });
    pre.addEventListener("pointermove", (event) => {
      const i = event.pointerType === "mouse" ? under(event) : -1;
      if (i >= 0) read(i);
    });
    pre.addEventListener("pointerleave", () => {
      if (cursor >= 0) read(cursor);
    });

    // The text as it is: the browser's own copy leaves out a last line end.
    pre.addEventListener("copy", (event) => {
      const range = document.getSelection().getRangeAt(0);
      if (!pre.contains(range.commonAncestorContainer)) return;
      event.clipboardData.setData("text/plain", range.toString());
      event.preventDefault();
    });

    const observer = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          if (isIntersecting) inSight.add(target);
          else inSight.delete(target);
          if (switched) (isIntersecting ? paint : clear)(target);
        }
      },
      { root: pre, rootMargin: "50% 0px" },
    );
    blocks.forEach((block) => observer.observe(block));
    window.addEventListener("beforeprint", () => switched && blocks.forEach(paint));
    window.addEventListener("afterprint", () => blocks.forEach((block) => inSight.has(block) || clear(block)));
    new ResizeObserver(enframe).observe(pre);

    pre.append(frame);
    if (units) {
      units.addEventListener("change", (event) => show(event.target.selectedIndex ?? Number(event.target.value)));
      units.hidden = false;
      content.querySelector(".others").hidden = true;
    }
    readout.hidden = false;
    content.dataset.shown = 0;
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (!("DecompressionStream" in window)) return; // the page then shows its first unit, as without scripts
    // One for each checkpoint and for a control.
    document.querySelectorAll("figure.activation-text .content").forEach((content) => {
      content.setAttribute("aria-busy", "true"); // until its activations are unpacked
      enliven(content).finally(() => content.removeAttribute("aria-busy"));
    });
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
    document.querySelectorAll("figure.atlas .content").forEach(enliven); // one for each checkpoint and for a control
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
    document.querySelectorAll("figure.attention .content").forEach(enliven); // one for each checkpoint and for a control
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
    document.querySelectorAll("figure.logit-lens .content").forEach(enliven); // one for each checkpoint and for a control
  });
})();

// A press on a column's heading sorts the table by it, and a second one the other way round.
(() => {
  "use strict";
  const OTHER = { ascending: "descending", descending: "ascending" };

  function enliven(table) {
    const body = table.tBodies[0];
    const headings = [...table.tHead.rows[0].cells];

    // What a row has in a column; rows without scores have fewer cells, and go last.
    const value = (row, column) => row.cells[column]?.dataset.value;

    function compare(one, two) {
      const numbers = [Number(one), Number(two)];
      return numbers.some(Number.isNaN) ? one.localeCompare(two) : numbers[0] - numbers[1];
    }

    function sort(column, direction) {
      const turn = direction === "ascending" ? 1 : -1;
      const rows = [...body.rows].sort((one, two) => {
        const [first, second] = [value(one, column), value(two, column)];
        if (first === undefined || second === undefined) return (first === undefined) - (second === undefined);
        return turn * compare(first, second);
      });
      body.append(...rows);
      headings.forEach((heading, i) => {
        if (i === column) heading.setAttribute("aria-sort", direction);
        else heading.removeAttribute("aria-sort");
      });
    }

    headings.forEach((heading, column) => {
      if (!heading.dataset.sort) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      heading.append(button);
      button.addEventListener("click", () => {
        sort(column, OTHER[heading.getAttribute("aria-sort")] ?? heading.dataset.sort);
      });
    });
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("figure.unit-census table.sortable").forEach(enliven);
  });
})();
