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
