// The desk, live: what moves is asked for each second while something runs, else every five; whoever does not look
// waits longer. What moves less is read anew when a run has ended, and each minute.
"use strict";

(() => {
  const BUSY = 1000, IDLE = 5000, RARE = 30000, MINUTE = 60000;
  const desk = document.getElementById("desk");
  if (!desk) return;
  const lost = desk.querySelector('[data-part="lost"]');
  const runs = () => document.getElementById("desk-runs").dataset;
  let timer = 0, last = runs().last, read = Date.now();

  async function page(url) {
    const response = await fetch(url, { headers: { Accept: "text/html", "X-Requested-With": "poll" } });
    if (response.redirected || response.status === 403) throw new DOMException("", "AbortError");
    if (!response.ok) throw new Error(response.statusText);
    return new DOMParser().parseFromString(await response.text(), "text/html");
  }

  function show(found, which) {
    for (const part of document.querySelectorAll(which)) {
      const now = found.getElementById(part.id);
      if (now) renew(part, now);
    }
  }

  // The theme has drawn the bars on the canvas: it is given the new numbers.
  function showCharts(found) {
    for (const part of document.querySelectorAll("[data-chart]")) {
      const now = found.getElementById(part.id), bars = Chart.getChart(part.querySelector("canvas"));
      const data = now?.querySelector("canvas").dataset.value;
      if (!data || !bars || part.querySelector("canvas").dataset.value === data) continue;
      part.querySelector("canvas").dataset.value = data;
      bars.data = JSON.parse(data);
      bars.update();
      for (const name of [".bo-legend", "table"]) renew(part.querySelector(name), now.querySelector(name));
    }
  }

  async function look() {
    show(await page(desk.dataset.poll), "[data-live]");
    const isOver = runs().last !== last;
    if (document.hidden || (!isOver && Date.now() - read < MINUTE)) return;
    last = runs().last;
    read = Date.now();
    const whole = await page(location.href);
    show(whole, "[data-slow]");
    showCharts(whole);
  }

  function pause() {
    if (Number(runs().open)) return document.hidden ? IDLE : BUSY;
    return document.hidden ? RARE : IDLE;
  }

  async function ask() {
    clearTimeout(timer);
    try {
      await look();
      lost.hidden = true;
    } catch (error) {
      if (error.name === "AbortError") return; // signed out
      lost.textContent = desk.dataset.lost;
      lost.hidden = false;
    }
    timer = setTimeout(ask, pause());
  }

  document.addEventListener("visibilitychange", () => { if (timer && !document.hidden) ask(); });
  timer = setTimeout(ask, BUSY);
})();
