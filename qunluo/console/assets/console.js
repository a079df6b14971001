// The first page: choosing and dropping files, sending them with true progress, following a job.
"use strict";

const say = (id, words) => { const at = document.getElementById(id); if (at) at.textContent = words; };

function tellMoments(root) {
  const shape = { dateStyle: "medium", timeStyle: "short" };
  for (const time of root.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    time.textContent = at.toLocaleString(document.documentElement.lang, shape);
    time.title = at.toString();
  }
}

function size(bytes) {
  const units = ["B", "kB", "MB", "GB"];
  let step = 0;
  while (bytes >= 1000 && step < 3) { bytes /= 1000; step += 1; }
  return `${bytes < 10 && step ? bytes.toFixed(1) : Math.round(bytes)} ${units[step]}`;
}

// A dropped folder is walked; every file keeps the path it had in it.
async function walk(entry, into) {
  if (entry.isFile) {
    const file = await new Promise((done, fail) => entry.file(done, fail));
    into.push({ file, name: entry.fullPath.replace(/^\//, "") });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return;
    for (const inner of some) await walk(inner, into);
  }
}

function form(ask) {
  let chosen = [];
  const list = document.getElementById("chosen");
  const drop = document.getElementById("drop");

  function show() {
    const rows = chosen.slice(0, 5).map(({ file, name }) => {
      const row = document.createElement("li");
      for (const words of [name, size(file.size)]) {
        row.append(Object.assign(document.createElement("span"), { textContent: words }));
      }
      return row;
    });
    if (chosen.length > 5) {
      const rest = chosen.length - 5;
      rows.push(Object.assign(document.createElement("li"), { textContent: `+ ${rest}` }));
    }
    list.replaceChildren(...rows);
    say("ask-error", "");
  }

  for (const input of ask.querySelectorAll(".pick input")) {
    input.addEventListener("change", () => {
      chosen = [...input.files].map((file) => ({ file, name: file.webkitRelativePath || file.name }));
      show();
    });
  }
  ask.querySelector(".folder").hidden = !("webkitdirectory" in document.createElement("input"));
  for (const kind of ["dragover", "dragleave", "drop"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.toggle("over", kind === "dragover");
    });
  }
  drop.addEventListener("drop", async (event) => {
    const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    const found = [];
    for (const entry of entries) await walk(entry, found);
    chosen = found;
    show();
  });

  const zone = document.getElementById("zone");
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone.dataset.kept && [...zone.options].some((option) => option.value === here)) zone.value = here;

  ask.addEventListener("submit", (event) => {
    event.preventDefault();
    const body = new FormData(ask);
    body.delete("chats");
    for (const { file } of chosen) body.append("chats", file);
    body.set("names", JSON.stringify(chosen.map(({ name }) => name)));
    send(ask, body);
  });
}

function send(ask, body) {
  const button = document.getElementById("make");
  const bar = document.getElementById("sent");
  const request = new XMLHttpRequest();
  const fail = (words) => {
    button.disabled = false;
    bar.hidden = true;
    say("ask-error", words || ask.dataset.broken);
    document.getElementById("ask-error").scrollIntoView({ block: "center" });
  };
  request.open("POST", ask.action);
  request.setRequestHeader("Accept", "application/json");
  request.responseType = "json";
  request.upload.addEventListener("progress", (event) => {
    bar.hidden = false;
    if (event.lengthComputable) { bar.max = event.total; bar.value = event.loaded; }
  });
  request.addEventListener("error", () => fail(""));
  request.addEventListener("load", () => {
    const answer = request.response || {};
    if (answer.go) location.assign(answer.go); else fail(answer.error);
  });
  button.disabled = true;
  request.send(body);
}

// The part of a job's page that changes comes from the server, ready made.
async function follow(part) {
  let address = part.dataset.part;
  for (;;) {
    await new Promise((done) => setTimeout(done, 700));
    try {
      const answer = await fetch(address);
      if (!answer.ok) return;
      part.innerHTML = await answer.text();
      tellMoments(part);
      const state = answer.headers.get("X-Job-State");
      if (state === "done") return location.replace(part.dataset.report);
      if (state !== "waiting" && state !== "running") return;
    } catch { /* the server is away for a moment: ask again */ }
  }
}

tellMoments(document);
const ask = document.getElementById("ask");
if (ask) form(ask);
const part = document.getElementById("part");
if (part && part.dataset.follow) follow(part);
