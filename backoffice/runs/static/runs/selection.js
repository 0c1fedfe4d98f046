// A click that is confirmed on a page of its own: Escape and "Back" return to the list, where the same rows are selected.
// Without this script both pages work, and the way back selects nothing.
"use strict";

(() => {
  const KEPT = "selection";
  const page = document.getElementById("confirm");

  function keep() {
    const of = (name) => [...page.querySelectorAll(`[name="${name}"]`)].map((input) => input.value);
    const rows = of("_selected_action");
    if (rows.length) {
      const back = new URL(page.dataset.back, location.href);
      sessionStorage.setItem(KEPT, JSON.stringify({ list: back.pathname + back.search, rows, all: of("select_across")[0] === "1", action: of("action")[0] }));
    }
  }

  function goBack() {
    keep();
    location.assign(page.dataset.back);
  }

  function restore() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
    if (!kept || kept.list !== location.pathname + location.search) return;
    sessionStorage.removeItem(KEPT);
    const rows = new Set(kept.rows);
    for (const box of document.querySelectorAll("input.action-select")) {
      if (!box.checked && (kept.all || rows.has(box.value))) box.click();
    }
    if (kept.all) document.querySelector(".actions .question a")?.click();
    const action = document.querySelector(".actions select[name=action]");
    if (!action) return;
    action.value = kept.action;
    action.dispatchEvent(new Event("change", { bubbles: true }));
    action.focus();
  }

  if (!page) {
    window.addEventListener("load", restore);
    return;
  }
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing) return;
    if (event.key === "Escape") goBack();
    // In a text field the browser does it; nowhere else, and a text of several lines takes it for its own.
    if (event.key === "Enter" && (event.target === document.body || event.target.matches("select"))) page.requestSubmit();
  });
  page.querySelector("[data-way-back]").addEventListener("click", (event) => {
    event.preventDefault();
    goBack();
  });
})();
