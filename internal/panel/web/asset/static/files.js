// Uploads: several at once, in pieces, each going on where the site says that it is.
// Nothing of an upload is kept in the browser, so one that was cut goes on after a
// reload too, when the same file is chosen again.
"use strict";

for (const drop of document.querySelectorAll("[data-upload]")) {
  const piece = 8 << 20, atOnce = 2, patience = [1, 2, 4, 8, 15, 30]; // seconds
  // How long nothing may move, in seconds: while octets go out, until those are answered
  // that the network still has, and until a whole file is, which a scanner may look at. The
  // browser itself waits for ever.
  const stalled = 60, unanswered = 120, scanned = 15 * 60;
  const list = drop.querySelector("[data-list]"), input = drop.querySelector("input[type=file]"), words = drop.dataset;
  const waiting = [];
  let running = 0, failed = 0, gone = 0;

  // Job is one file on its way, with its line on the page.
  class Job {
    constructor(file, path, name) {
      this.file = file;
      this.query = new URLSearchParams({ path, size: file.size, modified: file.lastModified, sender: crypto.randomUUID() });
      this.tries = 0; // in vain since something arrived
      this.cancelled = false;
      const [label, bar, said, cancel] = ["span", "progress", "span", "button"].map(tag => document.createElement(tag));
      label.append(document.createElement("bdi"));
      label.firstChild.textContent = name;
      bar.max = 1;
      bar.value = 0;
      bar.setAttribute("aria-label", name);
      said.className = "said";
      cancel.type = "button";
      cancel.className = "button bare small";
      cancel.textContent = words.cancel;
      cancel.setAttribute("aria-label", words.cancelFile.replace("\uFFFC", name));
      cancel.addEventListener("click", () => this.cancel());
      this.item = document.createElement("li");
      this.item.append(label, bar, cancel, said);
      list.append(this.item);
      Object.assign(this, { bar, said });
    }

    show(there) { this.bar.value = this.file.size ? there / this.file.size : 1; }

    // request tells how it was answered: 0 is not at all, and offset is null where it
    // was not the site that answered. It is no fetch, which tells nothing while it sends.
    request(method, offset, body) {
      return new Promise(done => {
        const request = this.open = new XMLHttpRequest();
        let watch;
        const within = seconds => { clearTimeout(watch); watch = setTimeout(() => request.abort(), seconds * 1000); };
        request.open(method, `${words.upload}?${this.query}`);
        const patient = body && offset + body.size >= this.file.size ? scanned : unanswered;
        within(body?.size ? stalled : patient);
        if (body) {
          request.setRequestHeader("Upload-Offset", offset);
          request.setRequestHeader("Content-Type", "application/offset+octet-stream");
          request.upload.addEventListener("progress", event => { within(stalled); this.show(offset + event.loaded); });
          request.upload.addEventListener("load", () => within(patient));
        }
        request.addEventListener("loadend", () => {
          clearTimeout(watch);
          const { status } = request, there = status ? request.getResponseHeader("Upload-Offset") : null;
          const plain = status && /^text\/plain/.test(request.getResponseHeader("Content-Type"));
          done({ status, ok: status === 204, offset: there === null ? null : Number(there), text: plain ? request.responseText : "" });
        });
        request.send(body);
      });
    }

    // pause waits longer from time to time, and no longer than the network is away.
    async pause(text) {
      this.said.textContent = text;
      await new Promise(done => {
        this.wake = done;
        setTimeout(done, patience[Math.min(this.tries++, patience.length - 1)] * 1000);
        addEventListener("online", done, { once: true });
      });
      if (!this.cancelled) this.said.textContent = "";
    }

    // ask is request, again for as long as the network or the server is away. What
    // arrived of a piece that was cut is there, so a piece is asked for but once: null.
    async ask(method, offset, body) {
      for (;;) {
        const answer = await this.request(method, offset, body);
        if (this.cancelled) throw new Error();
        const away = answer.status === 0 || answer.status === 429 || answer.status > 500;
        if (!away && answer.status !== 500) {
          if (answer.offset === null) throw new Error(words.ended);
          return answer;
        }
        if (!away && this.tries >= patience.length) throw new Error(words.broken);
        await this.pause(answer.text || words.cut);
        if (this.cancelled) throw new Error();
        if (method === "PATCH") return null;
      }
    }

    // where asks how much is there. An answer to HEAD has no words, so a refusal is
    // asked for again with a piece of nothing.
    async where() {
      for (;;) {
        let answer = await this.ask("HEAD");
        if (!answer.ok) answer = await this.ask("PATCH", 0, new Blob());
        if (answer?.ok) return answer.offset;
        if (answer) throw new Error(answer.text);
      }
    }

    async send() {
      const { size } = this.file;
      let offset = await this.where();
      for (;;) {
        this.show(offset);
        const answer = await this.ask("PATCH", offset, this.file.slice(offset, offset + piece));
        if (answer?.ok) {
          this.tries = 0;
          offset = answer.offset;
          if (offset >= size) return this.show(size);
          continue;
        }
        if (answer?.status === 409 && answer.offset >= size && !this.query.has("replace")) {
          if (!confirm(`${answer.text}\n${words.replace}`)) {
            await this.request("DELETE");
            throw new Error(answer.text);
          }
          this.query.set("replace", "1");
          offset = answer.offset;
          continue;
        }
        if (answer) {
          if (answer.status !== 409 || answer.offset >= size || this.tries >= patience.length) throw new Error(answer.text);
          // More is there when the browser itself sent the piece again, and none when the
          // site has not noticed yet that its sender is gone.
          if (answer.offset <= offset) await this.pause(words.cut);
          if (this.cancelled) throw new Error();
        }
        const there = await this.where();
        if (there > offset) this.tries = 0;
        offset = there;
      }
    }

    // cancel takes back what was sent.
    async cancel() {
      this.cancelled = true;
      const at = waiting.indexOf(this);
      if (at >= 0) waiting.splice(at, 1);
      if (this.item.className === "bad") failed--;
      this.item.remove();
      input.focus();
      this.open?.abort();
      this.wake?.();
      if (at < 0) await this.request("DELETE");
    }
  }

  async function next() {
    if (running >= atOnce) return;
    const job = waiting.shift();
    if (!job) {
      if (!running && gone && !failed) location.assign(`${location.pathname}?${new URLSearchParams({ path: words.folder, done: "uploaded" })}`);
      return;
    }
    running++;
    try {
      await job.send();
      gone++;
      job.item.querySelector("button").remove();
    } catch (error) {
      if (!job.cancelled) {
        failed++;
        job.item.className = "bad";
        job.said.textContent = error.message;
      }
    }
    running--;
    next();
  }
  const add = (file, name) => {
    waiting.push(new Job(file, `${words.folder}/${name}`, name));
    next();
  };

  input.addEventListener("change", () => { for (const file of input.files) add(file, file.name); input.value = ""; });
  addEventListener("beforeunload", event => { if (running) event.preventDefault(); });

  // Dropped folders come with all that is in them.
  async function walk(entry, at) {
    if (entry.isFile) entry.file(file => add(file, at + file.name));
    if (!entry.isDirectory) return;
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((done, wrong) => reader.readEntries(done, wrong));
      if (!some.length) return;
      for (const inner of some) await walk(inner, `${at}${entry.name}/`);
    }
  }
  document.addEventListener("dragover", event => { event.preventDefault(); drop.classList.add("over"); });
  document.addEventListener("dragleave", event => { if (!event.relatedTarget) drop.classList.remove("over"); });
  document.addEventListener("drop", event => {
    event.preventDefault();
    drop.classList.remove("over");
    for (const item of event.dataTransfer.items) {
      const entry = item.webkitGetAsEntry?.();
      if (entry) walk(entry, "");
    }
  });
}
