// The schedule form: only the fields of the chosen timing are shown, and a preview follows what is typed.
// The server computes all of it; without this script the form shows every field and works the same.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("[data-preview]");
  const form = box && box.closest("form");
  if (!form || !form.elements.work) return;
  const part = (name) => box.querySelector(`[data-part='${name}']`);
  const rowOf = (name) => form.querySelector(`.field-${name}`) || form.elements[name]?.closest(".field-row, .form-row");

  const parts = { every: "every", period: "every", crontab_text: "crontab", zone: "crontab", at: "once" };
  const showFields = () => {
    const when = form.elements.when.value;
    for (const [field, kind] of Object.entries(parts)) rowOf(field)?.classList.toggle("sch-hidden", kind !== when);
    const onRecords = form.elements.work.value.startsWith("records:");
    rowOf("selection")?.classList.toggle("sch-hidden", !onRecords);
    rowOf("arguments")?.classList.toggle("sch-hidden", onRecords);
  };

  const item = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const show = (answer) => {
    part("sentence").textContent = answer.sentence;
    part("matching").textContent = answer.matching;
    part("errors").replaceChildren(...Object.values(answer.errors).flat().map((text) => item("li", text)));
    part("firings").replaceChildren(...answer.firings.map((due) => {
      const row = document.createElement("tr");
      row.append(item("td", due.local), item("td", due.utc), item("td", due.remark));
      row.lastChild.className = "sch-warn";
      return row;
    }));
    part("table").classList.toggle("sch-hidden", !answer.firings.length);
    box.classList.remove("sch-hidden");
  };

  let timer, newest = 0;
  const ask = async () => {
    const mine = ++newest;
    const answer = await fetch(box.dataset.preview, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
    if (answer.ok && mine === newest) show(await answer.json());
  };
  const changed = () => { showFields(); clearTimeout(timer); timer = setTimeout(ask, 300); };
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  showFields();
  ask();
});
