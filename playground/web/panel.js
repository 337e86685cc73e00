// The training panel's module: settings to and from the Gradio controls, transport, files.
import * as store from "./store.js";

window.Play = window.Play ?? {};

let names = [];
let tab = "vae";
let pushed = null;
const values = {};
window.Play.panel = {
  changed(list) { console.log("changed", JSON.stringify(list)); },
  pending() { return pushed; },
  push(list) { pushed = list; window.Play.bridges[tab](); },
};

export function mount(element, props) {
  if (props.part === "transport") { names = props.controls; tab = props.tab; window.Play.names = names; }
  element.textContent = `panel ${props.part}`;
}
