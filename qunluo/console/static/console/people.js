// What the pages about people do by themselves: “/” to search, timers, the moderation queue's keys.
"use strict";
(() => {
  const typing = (target) =>
    target.closest("input, textarea, select, [contenteditable]") !== null;

  const search = document.querySelector("[data-find]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!search || typing(event.target)) return;
    event.preventDefault();
    search.focus();
    search.select();
  });

  const timers = document.querySelectorAll("[data-due]");
  const late = (timer) => {
    const left = Math.round((Date.parse(timer.dataset.due) - now()) / 60000);
    timer.classList.toggle("q-late", left < 0);
    timer.textContent = (left < 0 ? timer.dataset.over : timer.dataset.left).replace(
      "{n}",
      String(Math.abs(left)),
    );
  };
  const page = document.querySelector("[data-now]");
  const began = Date.now();
  const shows = page ? Date.parse(page.dataset.now) : began;
  const speed = page ? Number(page.dataset.speed || 1) : 1;
  const now = () => shows + (Date.now() - began) * speed;
  const tick = () => timers.forEach(late);
  if (timers.length) {
    tick();
    setInterval(tick, 5000);
  }

  const queue = [...document.querySelectorAll("[data-case]")];
  let at = -1;
  const go = (step) => {
    at = Math.max(0, Math.min(queue.length - 1, at + step));
    queue[at].focus();
    queue[at].scrollIntoView({ block: "nearest" });
  };
  queue.forEach((card, place) => card.addEventListener("focusin", () => (at = place)));
  const open = (kind) => {
    const why = queue[at]?.querySelector(`[data-${kind}] [name=why]`);
    const details = why?.closest("details");
    if (details) details.open = true;
    why?.focus();
  };
  const keys = { j: () => go(1), k: () => go(-1), u: () => open("undo"), e: () => open("uphold") };
  document.addEventListener("keydown", (event) => {
    if (!queue.length || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key]();
  });

  const progress = document.querySelector("[data-progress]");
  const follow = async () => {
    const answer = await fetch(progress.dataset.progress, { credentials: "same-origin" });
    if (!answer.ok) return;
    const state = await answer.json();
    progress.textContent = state.words;
    if (state.ended) location.reload();
    else setTimeout(follow, 1000);
  };
  if (progress) follow();
})();
