// What a page needs beyond links and forms: copying, the palette, tabs, passkeys, and
// the one-time code of a link. Everything else is htmx's, and every form works
// without this file.
"use strict";

const all = (selector, at = document) => [...at.querySelectorAll(selector)];

// Who leaves for another page is not called back by an answer that would show this one
// anew. What only looks like leaving, such as a download, is over soon.
let left = -Infinity;
addEventListener("beforeunload", () => { left = performance.now(); });
document.addEventListener("htmx:beforeOnLoad", event => {
  if (performance.now() - left < 10_000) event.preventDefault();
});

// What asks for itself again and again is not drawn anew while somebody presses in it: the
// press would end on a button that is not there any more. The next answer is soon there.
document.addEventListener("htmx:beforeSwap", event => {
  if (event.target.matches("[hx-trigger^=every]:active")) event.detail.shouldSwap = false;
});

// Copy buttons: data-copy names the element whose text is copied.
document.addEventListener("click", async event => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(from.value ?? from.textContent.trim());
  button.setAttribute("data-copied", "");
  const label = button.querySelector("span"), before = label.textContent;
  label.textContent = button.dataset.done;
  setTimeout(() => { label.textContent = before; button.removeAttribute("data-copied"); }, 1600);
});

addEventListener("click", event => {
  if (event.target.closest("[data-print]")) print();
});

// Fields of another tile rest while it is not chosen: data-for lists the choices.
function rest(form) {
  const chosen = form.querySelector("[data-choice]:checked")?.value;
  for (const part of all("[data-for]", form)) {
    const on = part.dataset.for.split(" ").includes(chosen);
    part.hidden = !on;
    for (const field of all("input, select, textarea", part)) field.disabled = !on;
  }
}
document.addEventListener("change", event => {
  if (event.target.matches("[data-choice]")) rest(event.target.form);
});
for (const form of all("form:has([data-choice])")) rest(form);

// A typed confirmation wakes its button. Who copies it out of a sentence may copy signs
// that keep it together there (locale.Plain).
function wake(typed) {
  typed.form.querySelector("button[type=submit]").disabled = typed.value.replace(/[\u2066-\u2069]/g, "").trim() !== typed.dataset.typed;
}
document.addEventListener("input", event => {
  const typed = event.target.closest("[data-typed]");
  if (typed) wake(typed);
});
for (const typed of all("[data-typed]")) wake(typed);

// The tab where one is comes into sight in a strip that is wider than the window.
document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

// A one-time code comes behind the # of a link, which no server and no log sees.
for (const field of all("[data-from-link]")) {
  if (location.hash.length > 1) {
    field.value = decodeURIComponent(location.hash.slice(1));
    history.replaceState(null, "", location.pathname);
  }
}

// A form that only hands over goes by itself.
document.querySelector("form[data-go]")?.requestSubmit();

// The palette: ⌘K or Ctrl-K, arrows, Enter.
const palette = document.getElementById("palette");
if (palette) {
  const input = palette.querySelector("input");
  const links = () => all("[role=option]", palette);
  const select = (links, at) => links.forEach((link, i) => {
    link.setAttribute("aria-selected", i === at);
    if (i === at) { link.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", link.id); }
  });
  const open = () => { palette.showModal(); input.select(); htmx.trigger(input, "look"); };
  document.addEventListener("keydown", event => {
    if (event.key === "k" && (event.metaKey || event.ctrlKey)) { event.preventDefault(); open(); }
  });
  for (const opener of all("[data-palette]")) opener.addEventListener("click", open);
  palette.addEventListener("click", event => { if (event.target === palette) palette.close(); });
  palette.addEventListener("htmx:afterSwap", () => select(links(), 0));
  input.addEventListener("keydown", event => {
    const list = links(), at = list.findIndex(link => link.getAttribute("aria-selected") === "true");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && list.length) { event.preventDefault(); select(list, (at + step + list.length) % list.length); }
    if (event.key === "Enter") { event.preventDefault(); list[Math.max(at, 0)]?.click(); }
  });
}

// The zone of the times that somebody types is the browser's, unless the address has one:
// data-zone is the element that names it.
for (const zone of all("[data-zone]")) {
  zone.value ||= Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
  if (zone.value) document.getElementById(zone.dataset.zone).textContent = zone.value;
}

// Following a log: data-follow is where its lines come from, as the server writes them
// in a page, and data-into the list that they are added to.
const mostLines = 2000;
for (const button of all("[data-follow]")) {
  const list = document.getElementById(button.dataset.into), pane = list.parentElement;
  const said = document.getElementById(`${list.id}-said`), label = button.querySelector("span"), before = label.textContent;
  let source = null;
  const stop = text => {
    source?.close();
    source = null;
    button.setAttribute("aria-pressed", "false");
    label.textContent = before;
    said.textContent = text ?? "";
  };
  const start = () => {
    const last = [...list.querySelectorAll("time")].at(-1)?.dateTime, at = new URL(button.dataset.follow, location);
    if (last) at.searchParams.set("after", last);
    source = new EventSource(at);
    button.setAttribute("aria-pressed", "true");
    label.textContent = button.dataset.stop;
    pane.scrollTop = pane.scrollHeight;
    source.addEventListener("message", event => {
      const atEnd = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40;
      list.insertAdjacentHTML("beforeend", event.data);
      while (list.children.length > mostLines) list.firstElementChild.remove();
      pane.querySelector("[data-none]")?.remove();
      if (atEnd) pane.scrollTop = pane.scrollHeight;
    });
    source.addEventListener("end", event => stop(event.data));
    source.addEventListener("error", () => { if (source?.readyState === EventSource.CLOSED) stop(); });
  };
  button.hidden = false;
  button.addEventListener("click", () => (source ? stop() : start()));
}
for (const pane of all(".log")) pane.scrollTop = pane.scrollHeight;

// Passkeys: the server says what the browser's authenticator shall do, and hears its
// answer (WebAuthn level 3, whose JSON both ends speak).
for (const button of all("[data-passkey]")) {
  const said = button.parentElement.querySelector("[data-said]");
  button.addEventListener("click", async () => {
    said.hidden = true;
    try {
      const asked = await post(button.dataset.passkey);
      const { publicKey } = await asked.json();
      const made = button.hasAttribute("data-create")
        ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) })
        : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
      const name = button.form?.elements["passkey-name"]?.value ?? "";
      const next = button.dataset.next;
      const heard = await post(`${button.dataset.passkey}/answer?${new URLSearchParams({ name, next })}`, JSON.stringify(made));
      const codes = await heard.text();
      if (!codes) return location.assign(next);
      const place = button.closest("[data-place]"); // they are shown this once
      place.innerHTML = codes;
      place.querySelector("a").focus();
    } catch (error) {
      said.textContent = error.said ?? button.dataset.refused;
      said.hidden = false;
    }
  });
}
async function post(to, body) {
  const answer = await fetch(to, { method: "POST", body, headers: { "Content-Type": "application/json" } });
  if (!answer.ok) throw Object.assign(new Error(), { said: (await answer.text()) || undefined });
  return answer;
}
