// The page of a record on which a run is at work: when that has ended the page is loaded again, with the outcome on it.
// Not while somebody has typed something: then it is only said.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  tellAgain();
  const note = document.querySelector("[data-at-work]");
  const form = document.querySelector("form[id$=_form]");
  if (!note) return;
  const QUICK = 400, SLOW = 5000;
  const typed = () => (form ? new URLSearchParams(new FormData(form)).toString() : "");
  const before = typed();
  let pause = QUICK;

  async function look() {
    try {
      const response = await fetch(note.dataset.atWork, { headers: { Accept: "application/json", "X-Requested-With": "poll" } });
      if (response.redirected || response.status === 403 || response.status === 404) return;
      if (response.ok && !(await response.json()).at_work) return show();
    } catch {
      // The network was away for a moment: asked again.
    }
    pause = Math.min(pause * 1.2, SLOW);
    setTimeout(look, pause);
  }

  function show() {
    if (typed() === before) {
      keepMessages();
      if (form) form.autocomplete = "off"; // or a browser fills in again what the run has changed
      return location.reload();
    }
    note.textContent = note.dataset.done;
  }

  setTimeout(look, pause);
});

// What was said before the page was loaded again stands there still: nobody has read it in a second.
const KEPT = "backoffice-messages";
const messages = () => document.querySelector("[data-messages]");

function keepMessages() {
  if (messages()) sessionStorage.setItem(KEPT, JSON.stringify({ page: location.pathname, told: messages().outerHTML }));
}

function tellAgain() {
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
  sessionStorage.removeItem(KEPT);
  if (kept.page === location.pathname) document.getElementById("begin").insertAdjacentHTML("afterbegin", kept.told);
}

// What a note suggests, put into its field: saved like anything that was typed.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-use]");
  if (!button) return;
  const field = document.getElementById(button.dataset.for);
  field.value = button.dataset.use;
  for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
  field.focus();
});

// The keys that links and buttons of the page name.
document.addEventListener("keydown", (event) => {
  const key = event.code?.startsWith("Key") ? event.code.slice(3) : event.key; // with Alt some keyboards give other letters
  const keys = [event.ctrlKey || event.metaKey ? "Control" : "", event.altKey ? "Alt" : "", key].filter(Boolean).join("+");
  const control = [...document.querySelectorAll("[aria-keyshortcuts]")].find((each) => each.getAttribute("aria-keyshortcuts") === keys);
  if (!control || event.repeat) return;
  event.preventDefault();
  control.click();
});
