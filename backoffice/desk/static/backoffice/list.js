// What every list adds to Django's and the theme's: ticks that stay from page to page, the actions by keyboard, and the
// names of columns beside the values on a phone.
"use strict";

(() => {
  const form = document.getElementById("changelist-form");
  const table = document.getElementById("result_list");
  const MOST = 500; // rows ticked: a form of Django's takes a thousand fields

  // --- The columns' names, for where the table is no table.

  function nameCells() {
    const names = [...table.querySelectorAll("thead th")].map((head) => head.querySelector(".text")?.textContent.trim() || "");
    for (const row of table.querySelectorAll("tr.data-row")) {
      [...row.children].forEach((cell, index) => {
        if (names[index]) cell.dataset.title = names[index];
        if (["", "–", "-"].includes(cell.textContent.trim()) && !cell.querySelector("input, a, svg, span[title]")) cell.dataset.empty = "";
      });
    }
  }

  // --- Ticks: of the same list and filter, whichever page and order.

  const boxes = () => [...table.querySelectorAll("input.action-select")];

  function key() {
    const query = new URLSearchParams(location.search);
    query.delete("p");
    query.delete("o");
    query.sort();
    return `ticks ${location.pathname}?${query}`;
  }

  function read() {
    return new Set(JSON.parse(sessionStorage.getItem(key()) || "[]"));
  }

  function write(ids) {
    if (ids.size) sessionStorage.setItem(key(), JSON.stringify([...ids]));
    else sessionStorage.removeItem(key());
  }

  // Rows of other pages are boxes, too, which nobody sees: they are sent as the others are.
  function holdElsewhere(ids) {
    const here = new Set(boxes().map((box) => box.value));
    const away = [...ids].filter((id) => !here.has(id));
    const place = form.querySelector("[data-elsewhere]");
    place.hidden = !away.length;
    place.querySelector("[data-number]").textContent = away.length;
    for (const old of place.querySelectorAll("input")) old.remove();
    for (const id of away) {
      const box = Object.assign(document.createElement("input"), { type: "checkbox", name: "_selected_action", className: "action-select", value: id, checked: true, hidden: true });
      place.append(box);
    }
  }

  let isSent = false; // the click that sends them is no tick

  function keep() {
    if (isSent) return;
    const ids = read();
    for (const box of boxes()) if (box.checked) ids.add(box.value); else ids.delete(box.value);
    if (ids.size > MOST) {
      form.querySelector("[data-too-many]").hidden = false;
      return;
    }
    form.querySelector("[data-too-many]").hidden = true;
    write(ids);
    holdElsewhere(ids);
  }

  function tick(ids) {
    for (const box of boxes()) {
      if (ids.has(box.value) && !box.checked) {
        box.checked = true;
        box.closest("tr").classList.add("selected");
      }
    }
    holdElsewhere(ids);
  }

  function startTicks() {
    if (!form.querySelector("[data-elsewhere]")) return;
    tick(read());
    form.addEventListener("click", () => setTimeout(keep));
    form.addEventListener("change", () => setTimeout(keep));
    form.addEventListener("submit", () => {
      isSent = true;
      sessionStorage.removeItem(key());
    });
    window.addEventListener("pageshow", (event) => {
      isSent = false;
      if (event.persisted) keep();
    });
    form.querySelector("[data-untick]").addEventListener("click", () => {
      write(new Set());
      holdElsewhere(new Set());
      for (const box of boxes()) if (box.checked) box.click();
    });
    // From the page that asks before an action, back to what was chosen (runs/selection.js).
    document.addEventListener("ticks", (event) => {
      const ids = new Set(event.detail);
      write(ids);
      tick(ids);
    });
  }

  // --- The actions, from a row's box: "a", the first letter of one, Enter.

  function startKeys() {
    const action = form.querySelector("select[name=action]"), run = form.querySelector("button[name=index]");
    if (!action || !run) return;
    action.setAttribute("aria-keyshortcuts", "a");
    form.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "a" && event.target.matches("input[type=checkbox]")) {
        event.preventDefault();
        if (!event.target.checked && !boxes().some((box) => box.checked)) event.target.click();
        action.focus();
      } else if (event.key === "Enter" && event.target === action && action.value) {
        event.preventDefault();
        run.click();
      } else if (event.key === "Escape" && event.target === action) {
        (boxes().find((box) => box.checked) || boxes()[0])?.focus();
      }
    });
  }

  if (!form || !table) return;
  nameCells();
  startTicks();
  startKeys();
})();
