// A figure in a notebook's frame: as light or dark as the notebook around it, and the frame as high as the figure.
(() => {
  "use strict";
  const frame = window.frameElement;
  if (!frame) return;

  function light(around) {
    for (let one = around; one; one = one.parentElement) {
      const [red, green, blue, opacity = 1] = getComputedStyle(one).backgroundColor.match(/[\d.]+/g).map(Number);
      if (opacity > 0.5) return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 127; // ITU-R BT.709's luma
    }
    return true; // a page that says nothing is white
  }

  document.documentElement.dataset.theme = light(frame.parentElement) ? "light" : "dark";
  document.addEventListener("DOMContentLoaded", () => {
    const main = document.querySelector("main");
    const fit = () => {
      frame.style.height = `${Math.ceil(main.getBoundingClientRect().bottom + window.scrollY)}px`;
    };
    new ResizeObserver(fit).observe(main);
  });
})();
