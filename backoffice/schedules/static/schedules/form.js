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
    rowOf("one_off")?.classList.toggle("sch-hidden", when === "once");
    const onRecords = form.elements.work.value.startsWith("records:");
    rowOf("selection")?.classList.toggle("sch-hidden", !onRecords);
    const needed = form.elements.only_needed;
    if (needed) needed.disabled = !needed.dataset.works.split(" ").includes(form.elements.work.value);
    rowOf("only_needed")?.classList.toggle("sch-hidden", Boolean(needed?.disabled));
    rowOf("arguments")?.classList.toggle("sch-hidden", onRecords);
    rowOf("parameters")?.classList.toggle("sch-hidden", !asked.dataset.asked);
    showDates();
  };

  // A date that moves by clicking: it is written into the filter, in the place of what the filter said of that date.
  const dates = form.querySelector("[data-dates]");
  const chosenDate = dates.querySelector("[data-date]");
  form.elements.selection.after(dates);
  const showDates = () => {
    for (const option of chosenDate.options) option.hidden = option.disabled = option.dataset.work !== form.elements.work.value;
    const possible = [...chosenDate.options].filter((option) => !option.disabled);
    if (possible.length && !possible.includes(chosenDate.selectedOptions[0])) possible[0].selected = true;
    dates.hidden = !possible.length;
  };
  dates.querySelector("button").addEventListener("click", () => {
    const text = form.elements.selection.value.trim();
    const found = new URLSearchParams(text.includes("?") ? text.slice(text.indexOf("?")) : text);
    const { since, until } = dates.querySelector("[data-span]").selectedOptions[0].dataset;
    for (const name of [...found.keys()]) if (name.split("__")[0] === chosenDate.value) found.delete(name);
    if (since) found.set(`${chosenDate.value}__gte`, since);
    if (until) found.set(`${chosenDate.value}__lt`, until);
    form.elements.selection.value = found.toString();
    form.elements.selection.dispatchEvent(new Event("input", { bubbles: true }));
  });

  // What the chosen task asks for: its inputs are the server's; those of a task chosen before come back as they were left.
  let asked = form.querySelector("[data-asked]");
  const inputs = new Map([[form.elements.work.value, asked]]);
  const askFor = async (work) => {
    if (!inputs.has(work)) {
      const answer = await fetch(`${box.dataset.inputs}?work=${encodeURIComponent(work)}`).catch(() => ({ ok: false }));
      const found = document.createElement("template");
      found.innerHTML = answer.ok ? await answer.text() : "<div data-asked></div>"; // then saving brings them
      for (const part of found.content.querySelectorAll("link, script[src]")) load(part);
      inputs.set(work, found.content.querySelector("[data-asked]"));
    }
    if (form.elements.work.value !== work) return; // another one was chosen meanwhile
    asked.replaceWith(inputs.get(work));
    asked = inputs.get(work);
    changed();
  };
  const load = ({ localName, attributes }) => {
    const part = document.createElement(localName);
    for (const { name, value } of attributes) part.setAttribute(name, value);
    document.head.append(part);
  };
  form.elements.work.addEventListener("change", () => askFor(form.elements.work.value));

  // The filter in words beside what is typed, with the way to the list; and a name, until a person gives one.
  const which = box.querySelector("[data-which]");
  form.elements.selection.after(which);
  const tell = (answer) => {
    which.querySelector("strong").textContent = answer.which;
    which.querySelector("a").href = answer.change;
    which.classList.toggle("sch-hidden", !answer.change);
    const name = form.elements.name;
    if (!("suggest" in box.dataset) || document.activeElement === name) return;
    if (answer.name && (!name.value || name.value === box.dataset.suggest)) box.dataset.suggest = name.value = answer.name;
  };

  const item = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
  const show = (answer) => {
    tell(answer);
    part("sentence").textContent = answer.sentence;
    part("matching").textContent = answer.matching;
    part("list").href = answer.list;
    part("list").classList.toggle("sch-hidden", !answer.list);
    part("errors").replaceChildren(...Object.values(answer.errors).flat().map((text) => item("li", text)));
    part("firings").replaceChildren(...answer.firings.map((due) => {
      const row = document.createElement("tr");
      const time = Object.assign(item("time", due.local), { className: "bo-time", dateTime: due.at });
      row.append(item("td", ""), item("td", due.utc), item("td", due.remark));
      row.firstChild.append(time);
      row.lastChild.className = "sch-warn";
      return row;
    }));
    part("table").classList.toggle("sch-hidden", !answer.firings.length);
    part("table").classList.toggle("sch-one-zone", answer.firings.every((due) => !due.utc));
    box.classList.remove("sch-hidden");
  };

  let timer, newest = 0;
  const ask = async () => {
    const mine = ++newest;
    const answer = await fetch(box.dataset.preview, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
    if (answer.ok && mine === newest) show(await answer.json());
  };
  const changed = () => { showFields(); clearTimeout(timer); timer = setTimeout(ask, 300); };

  // The crontab by clicking: the boxes write the text, and the text sets the boxes where it is as simple as they are.
  const builder = form.querySelector("[data-builder]");
  const crontab = form.elements.crontab_text;
  crontab.after(builder);
  builder.hidden = false;
  const places = [...builder.querySelectorAll("[data-place]")];
  const write = (event) => {
    const texts = crontab.value.trim().split(/\s+/);
    const place = event.target.closest("[data-place]");
    const boxes = [...place.querySelectorAll("input:checked")].map((box) => box.value);
    // Only the part that was clicked: the others may hold what boxes cannot show, such as */7.
    texts[place.dataset.place] = boxes.length && boxes.length < Number(place.dataset.size) ? boxes.join(",") : "*";
    crontab.value = places.map((_, at) => texts[at] || "*").join(" ");
  };
  const read = () => {
    const texts = crontab.value.trim().split(/\s+/);
    places.forEach((place, at) => {
      const wanted = new Set((texts[at] || "*").split(",").map((text) => text.replace(/^0+(?=\d)/, "")));
      for (const box of place.querySelectorAll("input")) box.checked = wanted.has(box.value);
    });
  };
  // What is typed and what it means stand together.
  crontab.closest("fieldset")?.after(box);
  builder.addEventListener("input", write);
  crontab.addEventListener("input", read);
  read();

  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  showFields();
  ask();
});
