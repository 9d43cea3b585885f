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
    document.querySelectorAll("figure.logit-lens .content:not(:has(> .failure))").forEach(enliven); // one for each checkpoint and for a control
  });
})();
