/** What belongs to the bound of the VAE tab: its bars, and the published figures beside it. */

import { state, t } from "./store.js";
import { h, setText } from "./curves_dom.js";
import { number } from "./curves_format.js";
import { metric, subject } from "./curves_history.js";

/** The published figure for the model on the page: same data, same likelihood, same latent size. */
export function published() {
  const what = subject();
  const { config, model, dataset } = what ?? {};
  if (model !== "vae" || dataset !== "mnist" || (config.likelihood ?? "bernoulli") !== "bernoulli") {
    return null;
  }
  const rows = state.catalogue?.published ?? [];
  const row = rows.find(
    (p) => p.latent_dim === config.latent_dim && typeof p.elbo_nats === "number" &&
      (p.model ?? "vae") === model && (p.dataset ?? "mnist") === dataset,
  );
  return row ? { value: row.elbo_nats, source: row.source } : null;
}

/** The published figure as a dashed line on the chart of the bound. */
export function publishedLine() {
  const figure = published();
  return figure ? [{
    value: figure.value, text: t("monitor.reference", { value: number(figure.value, 4) }),
    source: t("monitor.reference_title", { value: number(figure.value, 5), source: figure.source }),
  }] : [];
}

/** The bound as a bar: reconstruction and KL, the published figure below at the same scale. */
export function boundBars() {
  const parts = ["reconstruction", "kl"].map((key) =>
    h("span", { class: "mon-part", style: { background: `var(--mon-${key})` } }));
  const other = h("span", { class: "mon-part hollow" });
  const [ownTotal, otherTotal] = [0, 1].map(() => h("span", { class: "mon-bar-total play-number" }));
  const line = (key, bar, total) => h("div", { class: "mon-bar-row" },
    h("span", { class: "mon-bar-label" }, t(key)), h("div", { class: "mon-bar" }, bar), total);
  const otherRow = line("monitor.split_published", other, otherTotal);
  const element = h("div", { class: "mon-split", role: "img" },
    h("span", { class: "mon-bar-title mon-unit" }, t("monitor.split_title")),
    line("monitor.split_own", parts, ownTotal), otherRow);
  const update = () => {
    const terms = ["reconstruction_nats", "kl_nats"].map((name) => metric("test", name) ?? metric("train", name));
    const reference = published();
    element.hidden = terms[0] == null;
    if (element.hidden) return;
    const total = terms[0] + (terms[1] ?? 0);
    const scale = 100 / (Math.max(total, -(reference?.value ?? 0)) * 1.02);
    parts.forEach((part, i) => width(part, (terms[i] ?? 0) * scale));
    setText(ownTotal, number(total));
    otherRow.hidden = !reference;
    if (reference) {
      width(other, -reference.value * scale);
      setText(otherTotal, number(-reference.value));
      otherRow.title = t("monitor.reference_title", { value: number(reference.value, 5), source: reference.source });
    }
    label(element, t("monitor.split_alt", {
      reconstruction: number(terms[0]), kl: number(terms[1] ?? 0), total: number(total),
      published: reference ? t("monitor.split_alt_published", { value: number(-reference.value) }) : "",
    }));
  };
  return { element, update };
}

function width(node, percent) {
  const text = `${Math.max(0, Math.min(percent, 100)).toFixed(1)}%`;
  if (node.style.width !== text) node.style.width = text;
}

function label(node, text) {
  if (node.getAttribute("aria-label") !== text) node.setAttribute("aria-label", text);
}
