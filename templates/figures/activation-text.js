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
    // Firefox keeps across a reload what was chosen, and the figure would not show it.
    for (const one of document.querySelectorAll(".activation-text input")) one.checked = one.defaultChecked;
    if (!("DecompressionStream" in window)) return; // the page then shows its first unit, as without scripts
    // One for each checkpoint and for a control.
    document.querySelectorAll("figure.activation-text .content:not(:has(> .failure))").forEach((content) => {
      content.setAttribute("aria-busy", "true"); // until its activations are unpacked
      enliven(content).finally(() => content.removeAttribute("aria-busy"));
    });
  });
})();
