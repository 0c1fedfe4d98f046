// Beside a time in UTC, the same moment on the reader's own clock. Without this script the page works the same.
for (const note of document.querySelectorAll("[data-zone='UTC'][data-of]")) {
  const input = document.getElementById(note.dataset.of);
  const show = () => {
    const moment = new Date(`${input.value}Z`);
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const known = !Number.isNaN(moment.valueOf()) && zone !== "UTC";
    note.textContent = known ? `${note.dataset.text} ${moment.toLocaleString([], { dateStyle: "medium", timeStyle: "short" })} (${zone}).` : "";
  };
  input.addEventListener("input", show);
  show();
}
