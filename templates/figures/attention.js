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
    // Firefox keeps across a reload what was chosen, and the figure would not show it.
    for (const one of document.querySelectorAll(".attention input")) one.checked = one.defaultChecked;
    document.querySelectorAll("figure.attention .content:not(:has(> .failure))").forEach(enliven); // one for each checkpoint and for a control
  });
})();
