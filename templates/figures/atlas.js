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
    document.querySelectorAll("figure.atlas .content:not(:has(> .failure))").forEach(enliven); // one for each checkpoint and for a control
  });
})();
