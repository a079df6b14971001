// The room of a group: shows what is said as it is said, and says things that survive a bad line.
// Addresses, words and the first messages come from the page, in data- attributes and JSON blocks,
// so that another page (the console's) can show the same room.
// Nothing that a member wrote is ever read as HTML: it only becomes textContent.

const POLL_MS = 3000, FIRST_RETRY_MS = 400, LAST_RETRY_MS = 8000, RECALL_MS = 120000, STRIP_MS = 20000;
const read = (id) => JSON.parse(document.getElementById(id)?.textContent || "null");
const $ = (name, root = document) => root.querySelector(`[data-${name}]`);

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function button(className, text, act) {
  const made = make("button", className, text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

const cookie = (name) => document.cookie.split("; ").find((c) => c.startsWith(`${name}=`))?.slice(name.length + 1);

export class Room {
  constructor(root) {
    this.root = root;
    this.to = root.dataset;
    this.words = read("room-words") || {};
    this.emoji = read("room-emoji") || [];
    this.list = $("items", root);
    this.told = $("told", root);
    this.state = $("state", root);
    this.me = Number(this.to.me) || 0;
    this.revision = Number(this.to.revision) || 0;
    this.items = new Map();   // id → {item, element}
    this.pending = new Map(); // whole key → {message, element}
    this.wait = FIRST_RETRY_MS;
    this.readTo = Number(this.to.readId) || 0;
    this.directTo = 0;
    this.answer = null;
    this.mentions = new Map();
    this.show(read("room-items") || [], true);
    this.wire();
    this.restoreOutbox();
    this.listen();
    this.toEnd();
  }

  // asking and sending

  async ask(address, given) {
    const headers = { Accept: "application/json" };
    const options = { headers, credentials: "same-origin" };
    if (given !== undefined) {
      options.method = "POST";
      headers["X-CSRFToken"] = cookie("csrftoken") || this.to.csrf || "";
      const isFile = given instanceof Blob;
      headers["Content-Type"] = isFile ? "application/octet-stream" : "application/json";
      options.body = isFile ? given : JSON.stringify(given);
    }
    const answer = await fetch(address, options);
    const found = await answer.json().catch(() => ({}));
    if (answer.ok) return found;
    if (found.code === "not_here" && this.to.gone) location.replace(this.to.gone);
    const error = new Error(found.error || "");
    error.final = answer.status < 500 && answer.status !== 429 && answer.status !== 408;
    throw error;
  }

  tell(words) {
    this.told.textContent = words || "";
    clearTimeout(this.untell);
    if (words) this.untell = setTimeout(() => (this.told.textContent = ""), 8000);
  }

  // listening: the stream, else asking every few seconds; either begins at our revision

  listen() {
    clearTimeout(this.again);
    this.source?.close();
    if (!this.to.live) return this.poll();
    const source = new EventSource(`${this.to.live}?after=${this.revision}`, { withCredentials: true });
    this.source = source;
    source.onopen = () => { this.wait = FIRST_RETRY_MS; this.setState(""); };
    source.onmessage = (event) => this.news(JSON.parse(event.data), Number(event.lastEventId));
    source.addEventListener("direct", (event) => this.showDirects(JSON.parse(event.data)));
    source.addEventListener("reset", () => location.reload());
    source.addEventListener("gone", () => { source.close(); if (this.to.gone) location.replace(this.to.gone); });
    source.onerror = () => this.lost(source);
  }

  lost(source) {
    if (source !== this.source) return;
    source.close();
    this.poll();
    this.again = setTimeout(() => this.listen(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LAST_RETRY_MS);
  }

  get isLive() { return this.source?.readyState === EventSource.OPEN; }

  async poll() {
    clearTimeout(this.pollAgain);
    if (this.isLive) return;
    try {
      let found;
      do {
        found = await this.ask(`${this.to.news}?after=${this.revision}`);
        this.news(found.items, found.revision);
        this.showDirects(found.direct || []);
      } while (found.more);
      this.setState("");
    } catch { this.setState("away"); }
    this.pollAgain = setTimeout(() => this.poll(), POLL_MS);
  }

  // campaigns that run here: as the page came, and again while it is looked at

  async strip() {
    clearTimeout(this.stripAgain);
    const place = $("strip", this.root);
    if (!place) return;
    this.stripAgain = setTimeout(() => this.strip(), STRIP_MS * (0.75 + Math.random() / 2));
    if (document.hidden) return;
    try {
      const { campaigns } = await this.ask(place.dataset.strip);
      place.replaceChildren(...campaigns.map(({ name, url }) => {
        const link = make("a", "button", name);
        link.href = url;
        return link;
      }));
    } catch { /* it stays as it was until the next time */ }
  }

  setState(name) {
    this.state.textContent = name ? this.words[name] : "";
    this.root.dataset.line = this.isLive ? "live" : name || "polling";
  }

  news(items, revision) {
    this.show(items, false);
    if (revision > this.revision) this.revision = revision;
    this.flush();
  }

  // showing

  show(items, first) {
    const atEnd = this.isAtEnd();
    for (const item of items) this.put(item);
    if (first) this.markUnread();
    if (atEnd && items.length) this.toEnd();
    else if (items.some((item) => !item.mine && item.id > this.readTo) && !first) $("down", this.root).hidden = false;
  }

  put(item) {
    const known = this.items.get(item.id);
    if (known && known.item.revision >= item.revision) return;
    item.mine = this.me > 0 && item.member === this.me;
    const waiting = this.pending.get(item.key);
    if (waiting) { waiting.element.remove(); this.pending.delete(item.key); this.keepOutbox(); }
    const element = this.draw(item);
    if (known) known.element.replaceWith(element);
    else this.place(item.id, element);
    this.items.set(item.id, { item, element });
  }

  place(id, element) {
    let next = this.list.lastElementChild;
    while (next && (!next.dataset.id || Number(next.dataset.id) > id)) next = next.previousElementSibling;
    if (next) next.after(element);
    else this.list.prepend(element);
  }

  draw(item) {
    const element = make("li", "item");
    element.dataset.id = item.id;
    if (item.kind === "join" || item.kind === "leave") {
      element.className = "notice";
      const words = item.kind === "join" ? this.words.joined : this.words.left;
      element.textContent = words.replace("{name}", item.text || item.name || this.words.someone);
      return element;
    }
    element.classList.toggle("mine", item.mine);
    element.classList.add(item.label);
    if (item.mentions.includes(this.me)) element.classList.add("me");
    element.append(this.drawHead(item));
    if (item.recalled || item.hidden) {
      element.append(make("p", "gone", item.recalled ? this.words.recalled : this.words.hidden));
      return element;
    }
    const body = make("div", "body");
    if (item.reply) body.append(this.drawQuote(item.reply));
    if (item.image) body.append(this.drawImage(item.image));
    if (item.text) body.append(this.drawText(item.text));
    element.append(body, this.drawReactions(item));
    if (this.to.say) element.append(this.drawMenu(item));
    return element;
  }

  drawHead(item) {
    const head = make("div", "head");
    head.append(make("span", "name", item.name || this.words.someone));
    if (item.label === "staff") head.append(make("span", "label", this.words.staff));
    if (item.label === "auto") head.append(make("span", "label", this.words.auto));
    if (item.simulated) head.append(make("span", "label", this.words.simulated));
    const at = new Date(item.at);
    const time = make("time", "", this.when(at));
    time.dateTime = item.at;
    time.title = at.toLocaleString();
    head.append(time);
    return head;
  }

  when(at) {
    const clock = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const isToday = at.toDateString() === new Date().toDateString();
    return isToday ? clock : `${at.toLocaleDateString([], { month: "numeric", day: "numeric" })} ${clock}`;
  }

  drawText(text) {
    const words = make("p", "text");
    for (const part of text.split(/(https?:\/\/[^\s<>"'，。！？、（）]+)/)) {
      if (!/^https?:\/\//.test(part)) { words.append(part); continue; }
      const link = make("a", "", part);
      link.href = part;
      link.target = "_blank";
      link.rel = "noopener noreferrer nofollow ugc";
      words.append(link);
    }
    return words;
  }

  drawImage(name) {
    const link = make("a", "picture");
    link.href = this.to.media + name.split("/").pop();
    link.target = "_blank";
    link.rel = "noopener";
    const image = make("img");
    image.src = link.href;
    image.alt = this.words.image;
    image.loading = "lazy";
    link.append(image);
    return link;
  }

  drawQuote(quote) {
    const made = button("quote", "", () => this.jump(quote.id));
    made.append(make("b", "", quote.name || this.words.someone), " ", quote.text || (quote.kind === "image" ? this.words.image : "…"));
    return made;
  }

  drawReactions(item) {
    const row = make("div", "reactions");
    for (const reaction of item.reactions) {
      const mine = reaction.members.includes(this.me);
      const made = button("reaction", `${reaction.emoji} ${reaction.members.length}`, () => this.react(item, reaction.emoji, !mine));
      made.setAttribute("aria-pressed", mine);
      row.append(made);
    }
    return row;
  }

  drawMenu(item) {
    const menu = make("details", "menu");
    const summary = make("summary", "", "⋯");
    summary.setAttribute("aria-label", this.words.more);
    const acts = make("div", "acts");
    acts.append(button("", this.words.reply, () => { menu.open = false; this.replyTo(item); }));
    for (const emoji of this.to.react ? this.emoji : []) {
      acts.append(button("emoji", emoji, () => { menu.open = false; this.react(item, emoji, true); }));
    }
    if (item.mine && this.to.recall && Date.now() - new Date(item.at) < RECALL_MS) {
      acts.append(button("recall", this.words.recall, () => this.recall(item)));
    }
    menu.append(summary, acts);
    return menu;
  }

  markUnread() {
    const first = [...this.items.values()].find(({ item }) => item.id > this.readTo && !item.mine);
    if (first && this.readTo) first.element.before(make("li", "unread", this.words.new));
  }

  showDirects(directs) {
    const place = $("directs", this.root);
    for (const direct of directs) {
      if (!place || direct.id <= this.directTo) continue;
      this.directTo = direct.id;
      place.append(make("p", "direct", direct.text));
    }
    if (directs.length) this.saveRead();
  }

  isAtEnd() { return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 120; }

  toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
    $("down", this.root).hidden = true;
    this.saveRead();
  }

  jump(id) {
    const element = this.items.get(id)?.element;
    if (!element) return;
    element.scrollIntoView({ block: "center" });
    element.classList.add("found");
    setTimeout(() => element.classList.remove("found"), 1500);
  }

  saveRead() {
    const last = Math.max(0, ...this.items.keys());
    if (!this.to.read || document.hidden || (last <= this.readTo && this.directTo === this.directSaved)) return;
    clearTimeout(this.readLater);
    this.readLater = setTimeout(() => {
      this.ask(this.to.read, { id: last, direct: this.directTo }).then(() => {
        this.readTo = Math.max(this.readTo, last);
        this.directSaved = this.directTo;
      }).catch(() => {});
    }, 800);
  }

  // saying: shown at once, sent until it arrived, under one key

  say(message) {
    message.key = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2, 12)}`;
    this.queue(message);
    this.keepOutbox();
    this.flush();
    this.toEnd();
  }

  wholeKey(key) { return `${this.me}:${key}`; }

  queue(message) {
    const element = make("li", "item mine waiting");
    const body = make("div", "body");
    if (message.image) body.append(this.drawImage(message.image));
    if (message.text) body.append(this.drawText(message.text));
    element.append(body, make("small", "", this.words.sending));
    this.list.append(element);
    this.pending.set(this.wholeKey(message.key), { message, element });
  }

  async flush() {
    if (this.sending) return;
    this.sending = true;
    try {
      for (const waiting of [...this.pending.values()]) {
        const found = await this.trySay(waiting);
        if (found) this.put(found.item);
      }
      this.flushWait = 1000;
    } catch {
      clearTimeout(this.flushAgain);
      this.flushWait = Math.min((this.flushWait || 1000) * 2, 15000);
      this.flushAgain = setTimeout(() => this.flush(), this.flushWait);
    } finally { this.sending = false; }
  }

  async trySay(waiting) {
    try {
      return await this.ask(this.to.say, waiting.message);
    } catch (error) {
      if (!error.final) {
        waiting.element.querySelector("small").textContent = this.words.unsent;
        throw error;
      }
      waiting.element.remove();
      this.pending.delete(this.wholeKey(waiting.message.key));
      this.keepOutbox();
      this.tell(error.message);
      if (!this.input.value) this.input.value = waiting.message.text || "";
      return null;
    }
  }

  get shelf() { return `room:${this.to.say}:${this.me}`; }

  keepOutbox() {
    try { sessionStorage.setItem(this.shelf, JSON.stringify([...this.pending.values()].map((w) => w.message))); } catch { /* private mode */ }
  }

  restoreOutbox() {
    try {
      const known = new Set([...this.items.values()].map(({ item }) => item.key));
      for (const message of JSON.parse(sessionStorage.getItem(this.shelf) || "[]")) {
        if (!known.has(this.wholeKey(message.key))) this.queue(message);
      }
    } catch { /* private mode */ }
    this.flush();
  }

  async react(item, emoji, on) {
    if (!this.to.react) return;
    try { this.put((await this.ask(this.to.react, { message: item.id, emoji, on })).item); } catch (error) { this.tell(error.message); }
  }

  async recall(item) {
    try { this.put((await this.ask(this.to.recall, { message: item.id })).item); } catch (error) { this.tell(error.message); }
  }

  replyTo(item) {
    this.answer = item;
    const place = $("reply", this.root);
    place.hidden = !item;
    if (!item) return;
    place.replaceChildren(make("span", "", `${item.name}: ${item.text.slice(0, 60)}`), button("quiet", "✕", () => this.replyTo(null)));
    this.input.focus();
  }

  async picture(file) {
    this.tell(this.words.sending);
    try {
      const { image } = await this.ask(this.to.image, file);
      this.tell("");
      this.say({ text: "", image, reply_to: this.answer?.id, mentions: [] });
      this.replyTo(null);
    } catch (error) { this.tell(error.message || this.words.away); }
  }

  // what a person touches

  wire() {
    this.input = $("input", this.root);
    this.picker = $("picker", this.root);
    $("down", this.root).addEventListener("click", () => this.toEnd());
    this.list.addEventListener("scroll", () => { if (this.isAtEnd()) { $("down", this.root).hidden = true; this.saveRead(); } }, { passive: true });
    addEventListener("online", () => { this.wait = FIRST_RETRY_MS; this.listen(); this.flush(); });
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) return;
      if (!this.isLive) { this.wait = FIRST_RETRY_MS; this.listen(); }
      this.saveRead();
      this.strip();
    });
    this.stripAgain = setTimeout(() => this.strip(), STRIP_MS);
    $("more", this.root)?.addEventListener("click", () => this.earlier());
    $("search-form", this.root)?.addEventListener("submit", (event) => { event.preventDefault(); this.search(); });
    if (this.input) this.wireInput();
  }

  wireInput() {
    const form = $("form", this.root);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = this.input.value.trim();
      if (!text) return;
      const mentions = [...this.mentions].filter(([, name]) => text.includes(`@${name}`)).map(([id]) => id);
      this.input.value = "";
      this.mentions.clear();
      this.say({ text, reply_to: this.answer?.id, mentions });
      this.replyTo(null);
      this.pick([]);
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.pick([]);
      if (event.key === "ArrowDown" && !this.picker.hidden) { event.preventDefault(); this.picker.querySelector("button")?.focus(); }
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.input.addEventListener("input", () => this.suggest());
    $("file", this.root)?.addEventListener("change", (event) => {
      const [file] = event.target.files;
      if (file) this.picture(file);
      event.target.value = "";
    });
  }

  typed() { return this.input.value.slice(0, this.input.selectionStart).match(/@([^\s@]{0,20})$/); }

  suggest() {
    clearTimeout(this.suggestLater);
    const typed = this.typed();
    if (!typed || !this.to.people) return this.pick([]);
    this.suggestLater = setTimeout(async () => {
      const { people } = await this.ask(`${this.to.people}?q=${encodeURIComponent(typed[1])}`).catch(() => ({ people: [] }));
      this.pick(people);
    }, 150);
  }

  pick(people) {
    this.picker.hidden = people.length === 0;
    this.picker.replaceChildren(...people.map((person) => button("", person.name, () => this.mention(person))));
  }

  mention(person) {
    const typed = this.typed();
    const end = this.input.selectionStart;
    const start = typed ? end - typed[0].length : end;
    this.input.setRangeText(`@${person.name} `, start, end, "end");
    this.mentions.set(person.id, person.name);
    this.pick([]);
    this.input.focus();
  }

  async earlier() {
    const first = Math.min(...this.items.keys());
    try {
      const found = await this.ask(`${this.to.before}?id=${Number.isFinite(first) ? first : 0}`);
      const height = this.list.scrollHeight;
      for (const item of found.items) this.put(item);
      this.list.scrollTop += this.list.scrollHeight - height;
      $("more", this.root).hidden = !found.more;
    } catch (error) { this.tell(error.message); }
  }

  async search() {
    const place = $("found", this.root);
    try {
      const { items } = await this.ask(`${this.to.search}?q=${encodeURIComponent($("query", this.root).value)}`);
      place.replaceChildren(...items.map((item) => {
        const made = make("li", "hit");
        made.append(this.drawHead(item), this.drawText(item.text));
        return made;
      }));
      if (!items.length) place.append(make("li", "", this.words.none));
    } catch (error) { this.tell(error.message); }
  }
}

for (const root of document.querySelectorAll("[data-room]")) root.room = new Room(root);
