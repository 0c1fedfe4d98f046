// Pages tell moments in the installation's time zone; beside each stands the reader's own, where that is another one.
"use strict";

(() => {
  const wall = (at, timeZone) => new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short", timeZone }).format(at);
  const zone = (at) => new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" }).formatToParts(at).find((part) => part.type === "timeZoneName").value;

  // The reader's clock at that moment; nothing where it shows what the page says.
  const ownTime = (at, told) => {
    const own = Number.isNaN(at.getTime()) ? "" : wall(at);
    if (told.includes(own)) return "";
    const [day, time] = own.split(" ");
    return `(${told.includes(day) ? time : own} ${zone(at)})`;
  };
  const beside = (text) => Object.assign(document.createElement("span"), { className: "bo-own-time", textContent: text });

  const tell = (element) => {
    element.dataset.own = "";
    const own = ownTime(new Date(element.dateTime), element.textContent);
    if (!own) return;
    if (element.classList.contains("bo-time")) element.append(" ", beside(own));
    else if (!element.title) element.title = own.slice(1, -1);
  };

  // What is typed into a date and time of another zone.
  const follow = (input) => {
    input.dataset.own = "";
    const hint = beside("");
    input.after(hint);
    const show = () => {
      const there = Date.parse(`${input.value}Z`);
      const away = (at) => Date.parse(`${wall(at, input.dataset.zone).replace(" ", "T")}Z`) - Math.floor(at / 60000) * 60000;
      hint.textContent = Number.isNaN(there) ? "" : ownTime(new Date(there - away(there - away(there))), input.value.replace("T", " "));
    };
    input.addEventListener("input", show);
    show();
  };

  const look = () => {
    for (const element of document.querySelectorAll("time[datetime]:not([data-own])")) tell(element);
    for (const input of document.querySelectorAll("input[data-zone]:not([data-own])")) follow(input);
  };
  document.addEventListener("DOMContentLoaded", () => {
    look();
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  });
})();
