// Stacked MNIST has 1,000 modes, one for each triple of digits: this model's beside published ones.

import { h, setText } from "./explorer_dom.js";
import { fill } from "./dom.js";
import { shown } from "./decode.js";
import { metric } from "./curves_history.js";
import { t } from "./store.js";

const FULL = 26000; // samples of the published protocol
// Lin et al. 2018 (PacGAN), table 2, of 26,000 samples, 10 runs; the first row after Srivastava
// et al. 2017 (VEEGAN).
const PUBLISHED = [
  { name: "DCGAN, Srivastava et al.", modes: 99.0, kl: 3.4 },
  { name: "DCGAN, Lin et al.", modes: 78.9, kl: 4.5 },
  { name: "Unrolled GAN", modes: 48.7, kl: 4.32 },
  { name: "VEEGAN", modes: 150.0, kl: 2.95 },
  { name: "PacDCGAN2", modes: 1000.0, kl: 0.06 },
];
const PERFECT = { modes: 1000, kl: 0.0194 }; // by chance alone, of as many samples

export class StackedTable {
  constructor() {
    this.rows = h("tbody");
    this.note = h("p", { class: "play-note" });
    const head = ["who", "modes", "kl"].map((k) => h("th", { scope: "col" }, t(`dcgan.stacked_${k}`)));
    this.element = h("div", { class: "dc-stacked" }, h("table", { class: "dc-table" }, h("thead", {}, h("tr", {}, head)), this.rows), this.note);
  }

  set(values, dataset) {
    this.element.hidden = dataset !== "stacked_mnist";
    if (this.element.hidden) return;
    const own = [[t("dcgan.stacked_now"), values.effective_classes, null]];
    const modes = metric("test", "modes");
    if (modes != null) own.unshift([t("dcgan.stacked_saved"), modes, metric("test", "modes_kl_nats")]);
    const rows = [
      ...own.map((row) => ({ row, own: true })),
      ...PUBLISHED.map((p) => ({ row: [p.name, p.modes, p.kl] })),
      { row: [t("dcgan.stacked_perfect"), PERFECT.modes, PERFECT.kl] },
    ];
    fill(this.rows, rows.map(({ row: [name, count, kl], own: mine }) => h("tr", { class: mine ? "own" : "" },
      h("th", { scope: "row" }, name), h("td", { class: "play-number" }, shown(count, 3)), h("td", { class: "play-number" }, shown(kl, 3)))));
    setText(this.note, t("dcgan.stacked_note", { full: FULL.toLocaleString("en") }));
  }
}
