// Who types into an input means it: its tick is set. Without this script people tick by hand.
"use strict";

(() => {
  function tick(event) {
    const row = event.target.closest?.(".run-choice");
    if (row && !event.target.matches(".run-tick")) row.querySelector(".run-tick").checked = true;
  }

  for (const name of ["input", "change"]) document.addEventListener(name, tick);
  // A list that is searched tells jQuery alone.
  window.addEventListener("load", () => window.django?.jQuery?.(document).on("change", tick));
})();
