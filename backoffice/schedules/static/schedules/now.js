// Run now on a schedule's page: says in place how many records it would take, and asks. Without this script a page asks.
document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("[data-now]");
  if (!form) return;
  const part = (name) => form.querySelector(`[data-${name}]`);
  const [ask, sure, told, not] = ["ask", "sure", "told", "not"].map(part);
  const { confirmed, asked } = form.elements;

  const show = (is_asking) => {
    sure.hidden = confirmed.disabled = asked.disabled = !is_asking;
    ask.hidden = is_asking;
  };
  ask.addEventListener("click", async (event) => {
    event.preventDefault();
    ask.disabled = true;
    const answer = await fetch(form.dataset.now, { headers: { Accept: "application/json" } }).catch(() => ({ ok: false }));
    ask.disabled = false;
    if (!answer.ok) return form.submit(); // the page that asks says what is wrong
    const found = await answer.json();
    told.textContent = found.matching || told.dataset.empty;
    asked.value = found.asked;
    show(true);
    sure.querySelector("button").focus();
  });
  not.addEventListener("click", () => { show(false); ask.focus(); });
  form.addEventListener("keydown", (event) => { if (event.key === "Escape" && !sure.hidden) not.click(); });
});
