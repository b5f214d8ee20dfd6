// Uploads: several at once, in pieces, each going on where the site says that it is.
// Nothing of an upload is kept in the browser, so one that was cut goes on after a
// reload too, when the same file is chosen again.
"use strict";

for (const drop of document.querySelectorAll("[data-upload]")) {
  const piece = 8 << 20, atOnce = 2, patience = [1, 2, 4, 8, 15, 30];
  const list = drop.querySelector("[data-list]"), input = drop.querySelector("input[type=file]");
  const waiting = [];
  let running = 0, failed = 0, gone = 0;

  const line = name => {
    const item = document.createElement("li"), label = document.createElement("span"), bar = document.createElement("progress"), said = document.createElement("span");
    label.textContent = name;
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", name);
    said.className = "said";
    item.append(label, bar, said);
    list.append(item);
    return { item, bar, said };
  };
  const sleep = seconds => new Promise(done => setTimeout(done, seconds * 1000));

  // ask repeats a request for as long as the network or the server is away.
  async function ask(to, how, shown) {
    for (let tries = 0; ; tries++) {
      let answer;
      try { answer = await fetch(to, how); } catch { /* the network is away */ }
      if (answer && answer.status < 500 && answer.status !== 429) return answer;
      if (tries >= patience.length) throw new Error(answer ? await answer.text() : drop.dataset.cut);
      shown.said.textContent = drop.dataset.cut;
      await sleep(patience[tries]);
      shown.said.textContent = "";
      // What arrived of the piece before is there: only the site knows how much.
      if (how.method === "PATCH") return null;
    }
  }

  async function send(file, path, shown) {
    const query = new URLSearchParams({ path, size: file.size, modified: file.lastModified });
    const where = async () => {
      const answer = await ask(`${drop.dataset.upload}?${query}`, { method: "HEAD" }, shown);
      if (!answer.ok) throw new Error(answer.statusText || String(answer.status));
      return Number(answer.headers.get("Upload-Offset"));
    };
    let offset = await where();
    for (;;) {
      shown.bar.value = file.size ? offset / file.size : 1;
      const answer = await ask(`${drop.dataset.upload}?${query}`, {
        method: "PATCH", body: file.slice(offset, offset + piece),
        headers: { "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" },
      }, shown);
      if (!answer) { offset = await where(); continue; }
      const there = Number(answer.headers.get("Upload-Offset"));
      if (answer.ok) {
        offset = there;
        if (offset >= file.size) { shown.bar.value = 1; return; }
        continue;
      }
      const text = await answer.text();
      if (answer.status === 409 && there !== offset && there < file.size) { offset = there; continue; }
      if (answer.status === 409 && there >= file.size && !query.has("replace") && confirm(`${text}\n${drop.dataset.replace}`)) {
        query.set("replace", "1");
        offset = there;
        continue;
      }
      throw new Error(text);
    }
  }

  async function next() {
    if (running >= atOnce) return;
    const job = waiting.shift();
    if (!job) {
      if (!running && gone && !failed) location.assign(`${location.pathname}?${new URLSearchParams({ path: drop.dataset.folder, done: "uploaded" })}`);
      return;
    }
    running++;
    try {
      await send(job.file, job.path, job.shown);
      gone++;
    } catch (error) {
      failed++;
      job.shown.item.className = "bad";
      job.shown.said.textContent = error.message;
    }
    running--;
    next();
  }
  const add = (file, name) => {
    waiting.push({ file, path: `${drop.dataset.folder}/${name}`, shown: line(name) });
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
