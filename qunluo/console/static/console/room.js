// The live room: what comes in is drawn as text, never as markup. Live by server-sent events; where
// they don't come through it asks every few seconds.
"use strict";
(() => {
  const state = JSON.parse(document.getElementById("room-state").textContent);
  const { words, urls } = state;
  const may = new Set(state.may);
  const list = document.getElementById("room-list");
  const status = document.getElementById("room-status");
  const form = document.getElementById("room-form");
  const told = document.getElementById("room-told");
  const dialog = document.getElementById("room-dialog");
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const known = new Map();
  const SLOW_MS = 3000;
  const WAIT_MS = 6000;
  let after = state.after;
  let replyTo = null;
  let waiting = new Set();

  const make = (tag, className, text) => {
    const node = document.createElement(tag);
    if (className) node.className = className;
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const time = new Intl.DateTimeFormat(state.lang === "zh" ? "zh-CN" : "en", {
    month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    timeZone: state.zone,
  });
  const fill = (text, values) =>
    Object.entries(values).reduce((said, [key, value]) => said.split(`{${key}}`).join(value), text);

  const head = (item) => {
    const line = make("p", "r-head");
    line.append(make("strong", "", item.name || "Qunluo"));
    if (item.label === "staff" || item.label === "auto") {
      line.append(make("span", "q-chip", words[item.label]));
    }
    const at = make("time", "q-sub", time.format(new Date(item.at)));
    at.dateTime = item.at;
    line.append(at);
    if (waiting.has(item.id)) line.append(make("span", "q-chip q-late", words.question));
    return line;
  };
  const body = (item) => {
    const parts = [];
    if (item.reply) {
      parts.push(make("blockquote", "r-quote", `${item.reply.name}: ${item.reply.text}`));
    }
    if (item.recalled) parts.push(make("p", "q-sub", words.recalled));
    else if (item.hidden) parts.push(make("p", "q-sub", words.hidden));
    else if (item.kind === "join" || item.kind === "leave") {
      const said = item.kind === "join" ? words.joined : words.left;
      parts.push(make("p", "q-sub", fill(said, { name: item.text || item.name })));
    } else if (item.text) parts.push(make("p", "r-text", item.text));
    if (item.image && !item.recalled && !item.hidden) {
      const picture = make("img", "r-image");
      picture.src = urls.image.replace(/0(?=[^0-9]*$)/, String(item.id));
      picture.alt = fill(words.image, { name: item.name });
      picture.loading = "lazy";
      parts.push(picture);
    }
    if (item.reactions && item.reactions.length) {
      const line = make("p", "r-reactions");
      item.reactions.forEach((r) => line.append(make("span", "q-chip", `${r.emoji} ${r.n}`)));
      parts.push(line);
    }
    return parts;
  };
  const button = (item, act, call) => {
    const node = make("button", "r-act", words[act]);
    node.type = "button";
    node.dataset.act = act;
    node.addEventListener("click", () => call(item));
    return node;
  };
  const acts = (item) => {
    const line = make("div", "r-acts");
    line.setAttribute("role", "group");
    line.setAttribute("aria-label", words.more);
    const gone = item.recalled || item.hidden;
    const spoken = !gone && item.kind !== "join" && item.kind !== "leave";
    if (spoken && may.has("speak")) {
      const asked = waiting.has(item.id) && may.has("answer");
      line.append(button(item, asked ? "answer" : "reply", reply));
    }
    if (may.has("moderate")) {
      if (spoken) {
        if (item.text) line.append(button(item, "pin", (i) => act(i, "pin", "")));
        line.append(button(item, "hide", (i) => ask(i, "hide")));
      }
      if (item.hidden) line.append(button(item, "restore", (i) => act(i, "restore", "")));
      if (item.member && item.label === "member") {
        ["remind", "warn", "remove"].forEach((name) =>
          line.append(button(item, name, (i) => ask(i, name))),
        );
      }
    }
    if (item.member && may.has("see_members")) {
      const link = make("a", "r-act", words.open);
      link.href = urls.member.replace(/0(?=[^0-9]*$)/, String(item.member));
      line.append(link);
    }
    return line;
  };
  const draw = (item) => {
    const row = make("li", `r-item r-${item.label === "staff" ? "staff" : "other"}`);
    row.dataset.id = String(item.id);
    row.append(head(item), ...body(item), acts(item));
    return row;
  };
  const place = (item) => {
    const old = known.get(item.id);
    if (old && old.item.revision > item.revision) return;
    const row = draw(item);
    if (old) old.row.replaceWith(row);
    else {
      const next = [...list.children].find((node) => Number(node.dataset.id) > item.id);
      list.insertBefore(row, next || null);
    }
    known.set(item.id, { item, row });
  };
  const atEnd = () => list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const take = (items) => {
    const stay = atEnd();
    items.forEach((item) => {
      if ("question" in item) {
        if (item.question) waiting.add(item.id);
        else waiting.delete(item.id);
      }
      place(item);
      after = Math.max(after, item.revision);
    });
    document.getElementById("room-empty").hidden = known.size > 0;
    if (stay && items.length) list.scrollTop = list.scrollHeight;
  };

  const tell = (sentence, wrong) => {
    told.textContent = sentence;
    told.classList.toggle("q-wrong", Boolean(wrong));
  };
  const send = async (url, values) => {
    const answer = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: { Accept: "application/json", "X-CSRFToken": token },
      body: new URLSearchParams(values),
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.error || words.offline);
    return said;
  };
  const act = async (item, name, why) => {
    try {
      const said = await send(urls.act, { act: name, message: String(item.id), why });
      take(said.items);
      tell(said.done);
      return true;
    } catch (error) {
      tell(error.message, true);
      return false;
    }
  };
  const ask = (item, name) => {
    dialog.querySelector("h2").textContent = `${words[name]}: ${item.name}`;
    const why = dialog.querySelector("[name=why]");
    const own = dialog.querySelector("form");
    own.onsubmit = async (event) => {
      event.preventDefault();
      if (await act(item, name, why.value)) {
        why.value = "";
        dialog.close();
      }
    };
    dialog.showModal();
    why.focus();
  };
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());

  const reply = (item) => {
    replyTo = item.id;
    const line = document.getElementById("room-reply");
    line.hidden = false;
    line.querySelector("span").textContent = fill(words.replying, { name: item.name });
    form.elements.text.focus();
  };
  const noReply = () => {
    replyTo = null;
    document.getElementById("room-reply").hidden = true;
  };
  if (form) {
    document.getElementById("room-no-reply").addEventListener("click", noReply);
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const field = form.elements.text;
      if (!field.value.trim()) return;
      const values = { text: field.value };
      if (replyTo) values.reply_to = String(replyTo);
      form.querySelector("button").disabled = true;
      try {
        take(await send(urls.post, values));
        field.value = "";
        list.scrollTop = list.scrollHeight;
        noReply();
        tell("");
        questions();
      } catch (error) {
        tell(error.message, true);
      }
      form.querySelector("button").disabled = false;
    });
    form.elements.text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
  }

  const questions = async () => {
    try {
      const answer = await fetch(urls.waiting, { credentials: "same-origin" });
      if (!answer.ok) return;
      const fresh = new Set(await answer.json());
      const changed = [...known.keys()].filter((id) => fresh.has(id) !== waiting.has(id));
      waiting = fresh;
      changed.forEach((id) => place(known.get(id).item));
    } catch {
      // the next round asks again
    }
  };
  setInterval(questions, WAIT_MS);

  const before = document.getElementById("room-before");
  before.addEventListener("click", async () => {
    const first = Math.min(...known.keys());
    const answer = await fetch(`${urls.before}?id=${first}`, { credentials: "same-origin" });
    const items = answer.ok ? await answer.json() : [];
    const height = list.scrollHeight;
    take(items);
    list.scrollTop = list.scrollHeight - height;
    before.hidden = items.length < 50;
  });

  let asking = null;
  const poll = async () => {
    try {
      const answer = await fetch(`${urls.news}?after=${after}`, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      take(await answer.json());
      status.textContent = words.polling;
    } catch {
      status.textContent = words.offline;
    }
  };
  const fallBack = () => {
    if (asking === null) {
      asking = setInterval(poll, SLOW_MS);
      poll();
    }
  };
  const listen = () => {
    const stream = new EventSource(`${state.live}?after=${after}`, { withCredentials: true });
    const patience = setTimeout(fallBack, WAIT_MS);
    stream.onopen = () => {
      clearTimeout(patience);
      clearInterval(asking);
      asking = null;
      status.textContent = words.live;
    };
    stream.onmessage = (event) => take(JSON.parse(event.data));
    stream.onerror = () => {
      fallBack();
      if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 10 * WAIT_MS);
    };
  };
  take(state.items);
  before.hidden = state.items.length < 50;
  list.scrollTop = list.scrollHeight;
  listen();
})();
