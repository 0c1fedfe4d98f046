// The page of one run: its progress, live. External, because the content security policy allows no inline script.
"use strict";

(() => {
  const QUICK = 1000, SLOW = 5000, TABLE_EVERY = 5;
  const run = document.getElementById("run");
  if (!run || "finished" in run.dataset) return;
  const field = (name) => run.querySelector(`[data-field="${name}"]`);
  let timer = 0, asked = 0, spoken = -1;

  function show(answer) {
    const bar = field("bar");
    bar.max = answer.total || 1;
    bar.value = answer.done;
    field("percent").textContent = `${answer.percent} %`;
    field("text").textContent = answer.text;
    const unread = field("unread");
    unread.textContent = answer.unread;
    unread.hidden = !answer.unread;
    const badge = field("badge").firstElementChild;
    badge.className = `bo-badge bo-badge--${answer.state.toLowerCase()}`;
    badge.textContent = answer.label;
    for (const [state, number] of Object.entries(answer.counts)) {
      const count = run.querySelector(`[data-count="${state}"]`);
      count.textContent = number.toLocaleString("en");
      count.closest("li").classList.toggle("run-none", !number);
    }
    // A screen reader hears every quarter and the end, not every second.
    const quarter = answer.finished ? 5 : Math.floor(answer.percent / 25);
    if (quarter > spoken) {
      spoken = quarter;
      field("status").textContent = `${answer.label}: ${answer.text}`;
    }
  }

  // The table below is read again now and then, unless somebody is in it.
  async function refresh(whole) {
    const response = await fetch(location.href, { headers: { Accept: "text/html", "X-Requested-With": "poll" } });
    if (!response.ok || response.redirected) return;
    const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
    const parts = whole ? [".run-cancelled", ".run-buttons", ".bo-facts", "#items"] : ["#items"];
    for (const part of parts) {
      const old = document.querySelector(`#run ${part}`), now = fresh.querySelector(`#run ${part}`);
      if (old && now && (whole || !(old.contains(document.activeElement) || old.querySelector("input:checked")))) old.replaceWith(now);
    }
  }

  async function ask() {
    clearTimeout(timer);
    try {
      const response = await fetch(run.dataset.progress, { headers: { Accept: "application/json" } });
      if (response.redirected || response.status === 403 || response.status === 404) return;
      if (response.ok) {
        const answer = await response.json();
        show(answer);
        if (answer.finished) return void refresh(true);
        asked += 1;
        if (asked % TABLE_EVERY === 0) await refresh(false);
      }
    } catch {
      field("text").textContent = run.dataset.lost || field("text").textContent;
    }
    timer = setTimeout(ask, document.hidden ? SLOW : QUICK);
  }

  document.addEventListener("visibilitychange", () => { if (timer && !document.hidden) ask(); });
  timer = setTimeout(ask, 300);
})();
