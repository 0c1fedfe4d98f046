// Makes a part of the page what the server says now. What is the same stays: focus, ticks, what somebody
// types, and what they unfolded.
"use strict";

function renew(old, now) {
  if (old.isEqualNode(now) || old.dataset?.keep !== undefined) return;
  const isOther = old.nodeName !== now.nodeName || (old.nodeName === "INPUT" && (old.name !== now.name || old.defaultValue !== now.defaultValue));
  if (isOther || old.nodeType !== Node.ELEMENT_NODE) return void old.replaceWith(now);
  const theirs = (name) => name === "open" && old.nodeName === "DETAILS";
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name) && !theirs(name)) old.removeAttribute(name);
  for (const { name, value } of now.attributes) if (old.getAttribute(name) !== value && !theirs(name)) old.setAttribute(name, value);
  const before = [...old.childNodes], after = [...now.childNodes];
  after.forEach((node, at) => (at < before.length ? renew(before[at], node) : old.append(node)));
  before.slice(after.length).forEach((node) => node.remove());
}
