// Controls of the explorer, beside dom.js.
import { h, setText, svg } from "./dom.js";
import { idOf } from "./store_core.js";

export { ensureStyles } from "./page_styles.js";
export { calm, h, setText, svg } from "./dom.js";

/** Call `fn` once, `ms` after the last call. `.now()` calls at once, `.cancel()` forgets. */
export function debounce(fn, ms) {
  let timer = 0;
  const later = (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => fn(...args), ms);
  };
  later.cancel = () => clearTimeout(timer);
  later.now = (...args) => {
    clearTimeout(timer);
    fn(...args);
  };
  return later;
}

/** Call `fn` at most every `ms`: at once when it may, else when the time has come. */
export function paced(fn, ms) {
  let last = -Infinity;
  let timer = 0;
  return () => {
    if (timer) return;
    const wait = Math.max(0, last + ms - performance.now());
    timer = setTimeout(() => {
      timer = 0;
      last = performance.now();
      fn();
    }, wait);
  };
}

/** Call `fn(time)` once in the next animation frame, however often it is asked for. */
export function inFrame(fn) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame((time) => {
      asked = false;
      fn(time);
    });
  };
}

/** In an animation frame: call `fn` once this frame has been painted. */
export function afterThisFrame(fn) {
  const channel = new MessageChannel();
  channel.port1.onmessage = fn;
  channel.port2.postMessage(0);
}

/** Call `fn` once the next frame has been painted. */
export function afterPaint(fn) {
  requestAnimationFrame(() => afterThisFrame(fn));
}

const ICONS = {
  pan: "M8 1.5v13M1.5 8h13M8 1.5 6.2 3.3M8 1.5l1.8 1.8M8 14.5l-1.8-1.8M8 14.5l1.8-1.8M1.5 8l1.8-1.8M1.5 8l1.8 1.8M14.5 8l-1.8-1.8M14.5 8l-1.8 1.8",
  zoom: "M7 12.2A5.2 5.2 0 1 0 7 1.8a5.2 5.2 0 0 0 0 10.4ZM10.8 10.8 14.5 14.5M4.8 7h4.4M7 4.8v4.4",
  lasso: "M8 2c3.6 0 6.2 1.8 6.2 4.2S11.6 10.4 8 10.4 1.8 8.600 1.8 6.200 4.400 2 8 2ZM4.600 9.600c-1.600.6-1.800 2.400-.2 2.800 1.200.3 2-.6 1.600-1.600M5.800 12.400c.4.8.2 1.600-.8 2.100",
  frame: "M4.500 1.500v13M11.500 1.500v13M1.500 4.500h13M1.500 11.500h13",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  layers: "M8 2 14.500 5.500 8 9 1.500 5.500ZM2.500 8.500 8 11.500l5.500-3M2.500 11 8 14l5.500-3",
  undo: "M3 6h6.500a3.500 3.500 0 0 1 0 7H6M3 6l3-3M3 6l3 3",
  clear: "M3 4.500h10M6.500 4.500V3h3v1.500M4.500 4.500l.6 8.500h5.800l.6-8.500",
  upload: "M8 10.500V2.500M5 5.500l3-3 3 3M2.500 10.500v3h11v-3",
  download: "M8 2.500v8M5 7.500l3 3 3-3M2.500 10.500v3h11v-3",
  play: "M5 3.200v9.600L12.500 8Z",
  pause: "M5.500 3v10M10.500 3v10",
  dice: "M3 3h10v10H3ZM6 6h.01M10 10h.01M10 6h.01M6 10h.01",
  next: "M4 8h8M8.500 4.500 12 8l-3.500 3.500",
  close: "M4.500 4.500l7 7M11.500 4.500l-7 7",
  camera: "M2 5h2.700l1.100-1.700h4.400L11.300 5H14v8H2ZM8 11.200a2.600 2.600 0 1 0 0-5.200 2.600 2.600 0 0 0 0 5.200Z",
  draw: "M3 13l.700-3L10.800 2.900l2.300 2.300L6 12.300ZM9.300 4.400l2.300 2.300",
  paste: "M5.500 3.500H3.500v10h9v-10h-2M5.500 2.500h5v2.500h-5Z",
  link: "M6.800 9.200l2.400-2.400M7.200 5.200l1.600-1.600a2.500 2.500 0 0 1 3.600 3.600L10.800 8.800M8.800 10.800l-1.600 1.600a2.500 2.500 0 0 1-3.600-3.600L5.200 7.200",
};

/** A 16 px line drawing. */
export function icon(name) {
  const shape = svg("path", {
    d: ICONS[name], fill: "none", stroke: "currentColor", "stroke-width": 1.4,
    "stroke-linecap": "round", "stroke-linejoin": "round",
  });
  return svg("svg", { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, shape);
}

/** A button with text, a drawing, or both; without text, `label` is its name and tooltip. */
export function button({ text, symbol, label, pressed, kind = "small", onclick, ...rest }) {
  return h(
    "button",
    {
      type: "button", class: `play-button ${kind}${text ? "" : " x-icon"}`, onclick,
      "aria-label": label, title: label,
      "aria-pressed": pressed === undefined ? null : String(pressed), ...rest,
    },
    symbol ? icon(symbol) : null, text ? h("span", {}, text) : null,
  );
}

/** A button that shows it is on. */
export function press(element, on) {
  element.setAttribute("aria-pressed", String(on));
}

/**
 * A few choices as one bar of buttons.
 * @param {{label: string, options: Array<[*, string]>, value: *, onchange: (value: *) => void}} spec
 * @returns {{element: HTMLElement, set: (value: *) => void}}
 */
export function choice({ label, options, value, onchange }) {
  const buttons = options.map(([key, text]) =>
    h("button", {
      type: "button", class: "x-choice", "aria-pressed": String(key === value),
      onclick: () => { set(key); onchange(key); },
    }, text));
  const set = (now) => options.forEach(([key], i) => press(buttons[i], key === now));
  return { element: h("div", { class: "x-choices", role: "group", "aria-label": label }, buttons), set };
}

let serial = 0;

/** A labelled slider that shows its value. `format` makes the shown text. */
export function slider({ label, min, max, step, value, format = String, oninput, hideLabel = false }) {
  const id = idOf(`slider-${(serial += 1)}`);
  const out = h("output", { for: id, class: "play-number" }, format(value));
  const input = h("input", {
    id, type: "range", min, max, step, value,
    "aria-label": hideLabel ? label : null,
    oninput: () => { setText(out, format(Number(input.value))); oninput(Number(input.value)); },
  });
  const element = h("div", { class: "x-slider" },
    hideLabel ? null : h("label", { for: id }, label), input, out);
  const set = (now) => {
    input.value = now;
    setText(out, format(Number(now)));
  };
  return { element, input, set };
}

/** A labelled number field; `onchange` gets finite numbers only. */
export function numberField({ label, value, step = "any", min, max, onchange, hideLabel = false }) {
  const input = h("input", {
    type: "number", class: "x-number", value, step, min, max, "aria-label": hideLabel ? label : null,
    onchange: () => {
      const number = input.valueAsNumber;
      if (Number.isFinite(number)) onchange(number);
    },
    onkeydown: (event) => event.stopPropagation(), // the page's shortcuts are not meant here
  });
  const element = hideLabel ? input : h("label", { class: "x-field" }, h("span", {}, label), input);
  const set = (now) => {
    if (document.activeElement !== input) input.value = now;
  };
  return { element, input, set };
}

/** A labelled list to choose from; options are [value, text]. */
export function picker({ label, options, value, onchange, hideLabel = false }) {
  const input = h("select", { class: "x-select", "aria-label": hideLabel ? label : null, onchange: () => onchange(input.value) });
  const set = (pairs, now) => {
    input.replaceChildren(...pairs.map(([key, text]) => h("option", { value: key }, text)));
    input.value = String(now);
  };
  set(options, value);
  const element = hideLabel ? input : h("label", { class: "x-field" }, h("span", {}, label), input);
  return { element, input, set };
}

/** The place where one sentence says what went wrong. */
export function errorLine() {
  const element = h("p", { class: "play-error", role: "alert" });
  return {
    element,
    clear: () => setText(element, ""),
    show: (error) => {
      if (error?.name === "AbortError") return;
      setText(element, error?.sentence ?? String(error?.message ?? error));
    },
  };
}
