// A click that is confirmed on a page of its own: Escape, "Back" and the browser's own way back return to the list, where
// the same rows are selected. Without this script both pages work, and the way back selects nothing.
"use strict";

(() => {
  const KEPT = "selection";
  const page = document.getElementById("confirm");

  function keep(isAsked) {
    const of = (name) => [...page.querySelectorAll(`[name="${name}"]`)].map((input) => input.value);
    const rows = of("_selected_action");
    if (!rows.length) return;
    const back = new URL(page.dataset.back, location.href);
    const kept = { list: back.pathname + back.search, rows, all: of("select_across")[0] === "1", action: of("action")[0], isAsked };
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  }

  function goBack() {
    keep(true);
    location.assign(page.dataset.back);
  }

  function restore() {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) || "null");
    if (!kept || kept.list !== location.pathname + location.search) return;
    sessionStorage.removeItem(KEPT);
    // Who comes to the list in any other way begins anew.
    if (!kept.isAsked && performance.getEntriesByType("navigation")[0]?.type !== "back_forward") return;
    document.dispatchEvent(new CustomEvent("ticks", { detail: kept.rows })); // those of other pages, too
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

  function pressed(event) {
    const of = event.target;
    if (event.defaultPrevented || event.isComposing) return;
    // The key that led here, still held down, is no answer to what stands here.
    if (event.key === "Enter" && event.repeat) event.preventDefault();
    else if (event.key === "Escape" && (page.contains(of) || !of.matches("input, textarea, select"))) goBack();
    // In a text field the browser does it; nowhere else, and a text of several lines takes it for its own.
    else if (event.key === "Enter" && (of === document.body || (of.matches("select") && page.contains(of)))) page.requestSubmit(page.querySelector("[type=submit]")); // as in a text field: the first
  }

  if (!page) {
    window.addEventListener("pageshow", () => setTimeout(restore)); // Django counts what is selected in this event, too
    return;
  }
  page.querySelector("[autofocus]")?.focus(); // a browser does it with the next frame it draws, and draws none out of sight
  keep(false);
  page.addEventListener("submit", () => sessionStorage.removeItem(KEPT));
  document.addEventListener("keydown", pressed);
  page.querySelector("[data-way-back]").addEventListener("click", (event) => {
    event.preventDefault();
    goBack();
  });
})();
