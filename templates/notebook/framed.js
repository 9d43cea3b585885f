// A figure in a notebook's frame: on the notebook's own ground, light or dark as it is, and the frame as high as it.
(() => {
  "use strict";
  const frame = window.frameElement;
  if (!frame) return;

  // The colour behind the frame; a page that says nothing is white.
  function ground() {
    for (let one = frame.parentElement; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      const [red, green, blue, opacity = 1] = colour.match(/[\d.]+/g).map(Number);
      // ITU-R BT.709's luma tells light from dark.
      if (opacity > 0.5) return { colour, light: 0.2126 * red + 0.7152 * green + 0.0722 * blue > 127 };
    }
    return { colour: "#fff", light: true };
  }

  const { colour, light } = ground();
  document.documentElement.dataset.theme = light ? "light" : "dark";
  document.documentElement.style.setProperty("--paper", colour);
  document.addEventListener("DOMContentLoaded", () => {
    const figure = document.querySelector("figure");
    const fit = () => {
      frame.style.height = `${Math.ceil(figure.getBoundingClientRect().bottom + window.scrollY) + 8}px`;
    };
    new ResizeObserver(fit).observe(figure);
  });
})();
