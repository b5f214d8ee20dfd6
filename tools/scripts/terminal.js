// A site's terminal: xterm.js over a WebSocket. What is typed goes as binary messages,
// the size as text; what the shell says comes as binary messages, the end of it as text.
import { Terminal } from "@xterm/xterm";
import { FitAddon } from "@xterm/addon-fit";

// xterm.js writes its styles into style elements, which the page's policy forbids.
// It is given a document that has constructed sheets in their place.
const ownDocument = new Proxy(document, {
  get(target, name) {
    if (name === "createElement") return (kind, ...more) => kind === "style" ? sheet() : target.createElement(kind, ...more);
    const value = Reflect.get(target, name, target);
    return typeof value === "function" ? value.bind(target) : value;
  },
});
function sheet() {
  const element = document.createElement("span"), styles = new CSSStyleSheet();
  element.hidden = true;
  document.adoptedStyleSheets.push(styles);
  Object.defineProperty(element, "textContent", { set: text => styles.replaceSync(text), get: () => "" });
  return element;
}

const place = document.querySelector("[data-terminal]");
if (place) {
  const colour = name => {
    const probe = document.createElement("canvas").getContext("2d");
    probe.fillStyle = getComputedStyle(place).getPropertyValue(name) || "#000";
    return probe.fillStyle;
  };
  const terminal = new Terminal({
    documentOverride: ownDocument, cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches, scrollback: 5000, screenReaderMode: true,
    fontFamily: getComputedStyle(document.documentElement).getPropertyValue("--mono"), fontSize: 14,
    theme: { background: "#14161c", foreground: "#e6e8ee", cursor: "#e6e8ee", selectionBackground: "#3b4667" },
  });
  const fit = new FitAddon();
  terminal.loadAddon(fit);
  terminal.open(place);
  const said = document.querySelector("[data-said]"), again = document.querySelector("[data-again]");
  const begin = () => {
    again.hidden = true;
    said.textContent = said.dataset.opens;
    fit.fit();
    const to = new URL(place.dataset.terminal, location);
    to.protocol = location.protocol === "http:" ? "ws:" : "wss:";
    to.search = `?columns=${terminal.cols}&rows=${terminal.rows}`;
    const socket = new WebSocket(to);
    socket.binaryType = "arraybuffer";
    const write = new TextEncoder();
    const typed = terminal.onData(text => socket.readyState === WebSocket.OPEN && socket.send(write.encode(text)));
    const sized = terminal.onResize(({ cols, rows }) => socket.readyState === WebSocket.OPEN && socket.send(`${cols} ${rows}`));
    socket.onopen = () => { said.textContent = said.dataset.open; terminal.focus(); };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") said.textContent = data;
      else terminal.write(new Uint8Array(data));
    };
    socket.onclose = () => {
      typed.dispose();
      sized.dispose();
      if (said.textContent === said.dataset.open || said.textContent === said.dataset.opens) said.textContent = said.dataset.ended;
      again.hidden = false;
    };
  };
  new ResizeObserver(() => fit.fit()).observe(place);
  again.addEventListener("click", () => { terminal.reset(); begin(); });
  begin();
}
