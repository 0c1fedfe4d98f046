// What the desk's pages need of JavaScript. External, because the content security policy allows no inline script.
"use strict";

// --- unfold draws switches as links without an address, and icons as words: give both to keyboards and screen readers.

function nameOf(element) {
  const words = element.getAttribute("title") || element.textContent;
  return words.trim().replace(/_/g, " ");
}

function wordsBesideIcons(control) {
  const icons = [...control.querySelectorAll(".material-symbols-outlined")];
  return icons.reduce((words, icon) => words.replace(icon.textContent, ""), control.textContent).trim();
}

function makeAccessible(root) {
  const finder = root.querySelector('[x-data="searchCommand()"]'), typed = finder?.querySelector("input");
  if (finder) {
    for (const [name, value] of [["role", "dialog"], ["aria-modal", "true"], ["aria-label", typed.placeholder]]) finder.setAttribute(name, value);
    typed.setAttribute("aria-label", typed.placeholder);
  }
  for (const icon of root.querySelectorAll(".material-symbols-outlined")) {
    if (icon.hasAttribute("x-on:click")) continue;
    const control = icon.closest("a, button");
    if (control && !control.hasAttribute("aria-label") && !wordsBesideIcons(control)) {
      control.setAttribute("aria-label", nameOf(control.hasAttribute("title") ? control : icon));
    }
    icon.setAttribute("aria-hidden", "true");
  }
  for (const hint of root.querySelectorAll("span.help-tooltip[aria-label]")) hint.setAttribute("role", "img");
  for (const list of root.querySelectorAll("ul.object-tools")) list.setAttribute("role", "group");
  for (const control of root.querySelectorAll("a[x-on\\:click]:not([href]), span[x-on\\:click], div[x-on\\:click].cursor-pointer")) {
    if (control.hasAttribute("tabindex") || control.hasAttribute("x-ref")) continue;
    control.setAttribute("tabindex", "0");
    control.setAttribute("role", "button");
    if (control.matches(".material-symbols-outlined")) control.setAttribute("aria-label", SPOKEN[nameOf(control)] || nameOf(control));
    control.addEventListener("keydown", (event) => {
      if (event.target === control && (event.key === "Enter" || event.key === " ")) {
        event.preventDefault();
        control.click();
      }
    });
  }
}

const SPOKEN = { "dock to right": "Show or hide the navigation", close: "Close" };

// --- Polling: one second, five when nobody looks.

const QUICK = 1000, SLOW = 5000;

function poll(url, show, lost) {
  let timer = 0;
  async function ask() {
    clearTimeout(timer);
    let again = true;
    try {
      const response = await fetch(url, { headers: { Accept: "application/json" } });
      if (response.redirected || response.status === 403 || response.status === 404) return;
      if (!response.ok) throw new Error(response.status);
      again = show(await response.json());
      lost(false);
    } catch {
      lost(true);
    }
    if (again) timer = setTimeout(ask, document.hidden ? SLOW : QUICK);
  }
  document.addEventListener("visibilitychange", () => { if (timer && !document.hidden) ask(); });
  timer = setTimeout(ask, QUICK);
}

// --- A task result that is not final yet: show its progress, and read the page again when it is.

function startTask(element) {
  poll(element.dataset.poll, (answer) => {
    const bar = element.querySelector("progress"), text = element.querySelector('[data-field="counts"]');
    if (bar && answer.total) {
      bar.max = answer.total;
      bar.value = answer.done;
      text.textContent = answer.text;
    }
    if (answer.state === element.dataset.state && !answer.final) return true;
    location.reload();
    return false;
  }, () => {});
}

// Once more when Django's own widgets have been drawn.
window.addEventListener("load", () => setTimeout(() => makeAccessible(document)));

document.addEventListener("input", (event) => event.target.closest("form[data-submit-on-input]")?.submit());

document.addEventListener("DOMContentLoaded", () => {
  makeAccessible(document);
  document.querySelector("[data-focus]")?.focus({ preventScroll: true });  // autofocus scrolls past what is to be read first
  const task = document.querySelector("[data-task-poll]");
  if (task) startTask(task);
});

// A list keeps its filter, in this tab: the navigation leads back to it, and from the list itself to all of its rows.
document.addEventListener("DOMContentLoaded", () => {
  const KEPT = "filters";
  const kept = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
  if (document.getElementById("changelist")) {
    kept[location.pathname] = location.search;
    sessionStorage.setItem(KEPT, JSON.stringify(kept));
  }
  for (const link of document.querySelectorAll("#nav-sidebar a[href], #nav-sidebar-apps a[href]")) {
    if (!link.search && link.pathname !== location.pathname) link.search = kept[link.pathname] || "";
  }
});

// Of what Ctrl-K found the first is chosen: Enter opens it.
document.addEventListener("htmx:afterSettle", (event) => {
  const place = event.target.closest("#command-results");
  if (place?.querySelector("li a")) setTimeout(() => { Alpine.$data(place).currentIndex = 1; });
});

// unfold's one-letter shortcuts ("c": add, "f": filters) listen on the window, and would fire while somebody picks from
// a list by typing the first letters of its entries.
document.addEventListener("keydown", (event) => {
  if (event.target.matches("select") && event.key.length === 1) event.stopPropagation();
});
