// The editor of a site's files: CodeMirror in the place of a textarea, which works
// without it. Its styles are constructed sheets in a shadow root, since the page's
// policy forbids style elements.
import { EditorState } from "@codemirror/state";
import { EditorView, keymap, lineNumbers, highlightActiveLine, highlightActiveLineGutter, drawSelection, rectangularSelection } from "@codemirror/view";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, defaultHighlightStyle, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { css } from "@codemirror/lang-css";
import { html } from "@codemirror/lang-html";
import { javascript } from "@codemirror/lang-javascript";
import { json } from "@codemirror/lang-json";
import { markdown } from "@codemirror/lang-markdown";
import { php } from "@codemirror/lang-php";
import { python } from "@codemirror/lang-python";
import { sql } from "@codemirror/lang-sql";
import { xml } from "@codemirror/lang-xml";
import { yaml } from "@codemirror/lang-yaml";
import { tags } from "@lezer/highlight";

const languages = {
  css, scss: css, less: css, html, htm: html, twig: html, vue: html, js: javascript, mjs: javascript, cjs: javascript,
  jsx: () => javascript({ jsx: true }), ts: () => javascript({ typescript: true }), tsx: () => javascript({ typescript: true, jsx: true }),
  json, md: markdown, php, phtml: php, inc: php, py: python, sql, xml, svg: xml, yaml, yml: yaml,
};

// Colours are the page's own, so that both themes and its contrast hold.
const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.tagName, tags.operatorKeyword], color: "var(--accent)" },
  { tag: [tags.string, tags.attributeValue, tags.regexp], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.atom, tags.null], color: "var(--warn)" },
  { tag: [tags.comment, tags.meta], color: "var(--quiet)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.definition(tags.variableName), tags.attributeName, tags.propertyName], color: "var(--busy)" },
  { tag: tags.invalid, color: "var(--bad)" },
  { tag: tags.heading, fontWeight: "bold" },
]);

const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "var(--surface)", fontSize: "0.8125rem", blockSize: "min(65dvh, 60rem)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-gutters": { backgroundColor: "var(--raised)", color: "var(--quiet)", border: "0" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--raised)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft)" },
  // A frame, and no ground behind it, which would take contrast from every colour above.
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--line-strong)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", outline: "1px solid var(--bad)" },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--text)" },
  ".cm-textfield, .cm-button": { backgroundColor: "var(--surface)", backgroundImage: "none", border: "1px solid var(--line-strong)", color: "var(--text)" },
});

const area = document.querySelector("textarea[data-editor]");
if (area) {
  const place = document.createElement("div");
  place.className = "editor";
  area.after(place);
  const root = place.attachShadow({ mode: "open" });
  const language = languages[area.dataset.editor];
  const view = new EditorView({
    root, parent: root,
    state: EditorState.create({
      doc: area.value,
      extensions: [
        lineNumbers(), history(), drawSelection(), rectangularSelection(), indentOnInput(), bracketMatching(),
        highlightActiveLine(), highlightActiveLineGutter(), highlightSelectionMatches(),
        syntaxHighlighting(colours), syntaxHighlighting(defaultHighlightStyle, { fallback: true }),
        keymap.of([
          { key: "Mod-s", preventDefault: true, run: () => { area.form.requestSubmit(area.form.querySelector("[data-save]")); return true; } },
          ...defaultKeymap, ...historyKeymap, ...searchKeymap, indentWithTab,
        ]),
        // Said aloud what contenteditable means anyway: keys come here, and scroll long lines.
        look, EditorView.contentAttributes.of({ "aria-label": area.getAttribute("aria-label"), tabindex: "0" }),
        EditorView.updateListener.of(update => { if (update.docChanged) area.dataset.changed = "yes"; }),
        language ? language() : [],
      ],
    }),
  });
  area.hidden = true;
  let leaving = false;
  area.form.addEventListener("submit", () => { area.value = view.state.doc.toString(); leaving = true; });
  addEventListener("beforeunload", event => { if (area.dataset.changed && !leaving) event.preventDefault(); });
  view.focus();
}
