// What was typed into a form of the admin and is not saved: a button that starts something sends it along, and is then
// done after it was saved; whatever else leads away asks first.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector(".change-form form[id$=_form]");
  if (!form) return;
  const written = () => new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, value.name ?? value])).toString();
  const refused = document.querySelector("[data-refused]"); // it came back, and nothing of it is saved
  let before = written(), sent = false;
  const isUnsaved = () => Boolean(refused) || written() !== before;

  // Widgets that draw themselves have done so by now.
  window.addEventListener("load", () => setTimeout(() => { before = written(); }));
  // A form that came back is looked at, whatever part of the page it was sent from.
  if (refused && location.hash) {
    history.replaceState(null, "", location.pathname + location.search);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  }

  const tell = () => { for (const note of document.querySelectorAll("[data-unsaved-note]")) note.hidden = !isUnsaved(); };
  form.addEventListener("input", tell);
  form.addEventListener("change", tell);
  tell();

  form.addEventListener("submit", () => { sent = true; });
  document.addEventListener("submit", (event) => {
    const action = event.target.dataset.run;
    if (!action || !isUnsaved()) return;
    event.preventDefault();
    const asked = Object.assign(document.createElement("input"), { type: "hidden", name: "_run", value: action });
    form.append(asked);
    form.requestSubmit();
  });
  window.addEventListener("beforeunload", (event) => { if (!sent && isUnsaved()) event.preventDefault(); });
  window.addEventListener("pageshow", () => { sent = false; }); // by the browser's own way back
});

// Two people changed one field: what is chosen stands in its input, and what is then typed there is one's own.
document.addEventListener("DOMContentLoaded", () => {
  for (const choice of document.querySelectorAll("[data-choice]")) {
    const field = document.getElementById(choice.dataset.choice);
    const [mine] = choice.querySelectorAll("input");
    const isSimple = field?.matches("input:not([type=file]), textarea, select:not([multiple])");
    if (!isSimple) continue;
    choice.addEventListener("change", ({ target }) => {
      if (field.type === "checkbox") field.checked = target.dataset.value === "True";
      else field.value = target.dataset.value;
    });
    field.addEventListener("input", () => {
      mine.checked = true;
      mine.dataset.value = field.type === "checkbox" ? (field.checked ? "True" : "False") : field.value;
    });
  }
});
