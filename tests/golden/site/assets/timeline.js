// Figures at several checkpoints.
(() => {
  "use strict";

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

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".timeline:not(.side-by-side)").forEach(timeline);
  });
})();
