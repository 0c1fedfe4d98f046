// The page of one run, live. External, because the content security policy allows no inline script.
// Asked every second is how far the run is; when that has changed, bar, facts and table come in one answer and are
// renewed together, so that they agree with one another. What is the same stays: focus, ticks, what somebody types.
"use strict";

(() => {
  const QUICK = 1000, SLOW = 5000;
  const run = document.getElementById("run");
  const live = () => run.firstElementChild;
  if (!run || "finished" in live().dataset) return;
  const field = (name) => run.querySelector(`[data-field="${name}"]`);
  let timer = 0, shown = "", spoken = -1, pause = QUICK, isOver = false;
  const title = document.title;

  // Ticks follow their records, whichever row these are in now.
  function renewAll(html) {
    const ticked = new Set([...run.querySelectorAll("input:checked")].map((input) => input.value));
    renew(live(), new DOMParser().parseFromString(html, "text/html").getElementById("run-live"));
    for (const input of run.querySelectorAll("input[type=checkbox]")) input.checked = ticked.has(input.value);
  }

  // A screen reader hears every quarter and the end, not every second.
  function speak(answer) {
    const quarter = answer.finished ? 5 : Math.floor(answer.percent / 25);
    if (quarter <= spoken) return;
    spoken = quarter;
    field("status").textContent = `${answer.label}: ${answer.text}`;
  }

  // Who is in another tab sees there how far it is, and that it has ended.
  function entitle(answer) {
    document.title = answer.finished ? `${answer.mark} ${answer.label}: ${title}` : `${answer.percent} % ${title}`;
  }

  async function asked(url, type) {
    const response = await fetch(url, { headers: { Accept: type, "X-Requested-With": "poll" } });
    if (response.redirected || response.status === 403 || response.status === 404) throw new DOMException("", "AbortError");
    if (!response.ok) throw new Error(response.statusText);
    return response.text();
  }

  async function look() {
    const answer = await asked(run.dataset.progress, "application/json");
    if (answer === shown) return;
    const began = performance.now();
    renewAll(await asked(run.dataset.live + location.search, "text/html"));
    // A big table of failures takes its time: then less often.
    pause = Math.max(QUICK, 10 * (performance.now() - began));
    shown = answer;
    speak(JSON.parse(answer));
    entitle(JSON.parse(answer));
    isOver = JSON.parse(answer).finished; // and not that of the table, which is asked for later
  }

  async function ask() {
    clearTimeout(timer);
    try {
      await look();
    } catch (error) {
      if (error.name === "AbortError") return; // signed out, or not theirs to see any more
    }
    const isBehind = "finished" in live().dataset;
    if (!isOver) timer = setTimeout(ask, isBehind ? QUICK : document.hidden ? SLOW : pause);
  }

  document.addEventListener("visibilitychange", () => { if (timer && !document.hidden) ask(); });
  timer = setTimeout(ask, 300);
})();
