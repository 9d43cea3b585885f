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
