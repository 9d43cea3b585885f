// Lists of units: a box that shows those that match, and a choice of order.
(() => {
  "use strict";

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

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-order]").forEach(order);
    document.querySelectorAll("[data-filter]").forEach(filter);
  });
})();
