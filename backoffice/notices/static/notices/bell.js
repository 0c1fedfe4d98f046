// The bell asks how many notices are unread: as a page is opened or looked at again, and each half minute while it is.
"use strict";

(() => {
  const EVERY = 30000;

  function start(bell) {
    const part = (name) => bell.querySelector(`[data-part="${name}"]`);
    const kept = `notices-${bell.dataset.person}`;  // what the page before knew, so that the number stands at once
    let known = null, timer = 0;

    function show({ unread, words }) {
      const spoken = unread ? `${bell.dataset.some} ${words}` : bell.dataset.none;
      part("count").textContent = words;
      part("count").hidden = !unread;
      bell.setAttribute("aria-label", spoken);
      bell.title = spoken;
      if (known !== null && unread > known) part("status").textContent = spoken;
      known = unread;
    }

    async function ask() {
      clearTimeout(timer);
      if (document.hidden) return;
      let again = true;
      try {
        const response = await fetch(bell.dataset.poll, { headers: { Accept: "application/json", "X-Requested-With": "fetch" } });
        if (response.redirected || response.status === 403) again = false;
        else if (response.ok) {
          const answer = await response.json();
          show(answer);
          sessionStorage.setItem(kept, JSON.stringify(answer));
        }
      } catch { /* the server is away for a moment: the number stays */ }
      if (again) timer = setTimeout(ask, EVERY);
    }

    const before = sessionStorage.getItem(kept);
    if (before) show(JSON.parse(before));
    document.addEventListener("visibilitychange", ask);
    ask();
  }

  document.addEventListener("DOMContentLoaded", () => {
    const bell = document.getElementById("bell");
    if (bell) start(bell);
  });
})();
