// Two domains of one's own: two sets of pictures, or one archive of both, become a data set.
import { button, h, setText, show } from "./dom.js";
import { PublicSets } from "./panel_domains_public.js";
import { Side } from "./panel_domains_side.js";
import { tooLarge } from "./panel_files.js";
import { ensureStyles } from "./page_styles.js";
import * as store from "./store.js";

const { t, state } = store;
const FITS = ["crop", "letterbox"];

function choice(name, options) {
  return h("select", { name, class: "play-select" }, options.map(([value, label]) => h("option", { value }, label)));
}

const labelled = (key, control) => h("label", { class: "play-labelled" }, h("span", {}, t(key)), control);

/** What a finished data set is said to be. */
const ready = (added) => [t("domains.done", { name: added.title }), ...(added.notes ?? [])].join(" ");

/** `choose(key)` selects the new data set in the panel. */
export function mountDomains(element, choose) {
  const limit = state.catalogue.limits?.domains_upload_mb ?? 128;
  const { sizes, sets } = state.catalogue.two_domains ?? { sizes: [64, 128], sets: [] };
  const sides = ["a", "b"].map((letter) => new Side(letter));
  const both = h("input", { type: "file", name: "both", multiple: true, accept: ".zip,application/zip" });
  const size = choice("size", sizes.map((side) => [String(side), t("domains.side", { side })]));
  const fit = choice("fit", FITS.map((kind) => [kind, t(`domains.fit_${kind}`)]));
  const paired = h("input", { type: "checkbox", name: "paired" });
  const name = h("input", { type: "text", name: "name", maxlength: "60", class: "play-select", placeholder: t("domains.name_hint") });
  const error = h("div", { class: "play-error", role: "alert", hidden: true });
  const done = h("div", { class: "play-note", role: "status" });
  const send = button(t("domains.send"), upload, { kind: "small" });

  async function take(added) {
    await store.refreshCatalogue();
    choose(added.dataset);
    return ready(added);
  }

  async function upload() {
    show(error, false);
    setText(done, t("domains.sending"));
    send.disabled = true;
    try {
      setText(done, await take(await store.api("domains", { form: collect() })));
    } catch (problem) {
      setText(done, "");
      setText(error, problem.sentence ?? String(problem));
      show(error, true);
    } finally {
      send.disabled = false;
    }
  }

  function collect() {
    const files = [...sides.flatMap((side) => side.files()), ...[...both.files].map((file) => ["both", file, file.name])];
    if (!files.length) throw new store.PlayError(t("domains.none"));
    const total = files.reduce((sum, [, file]) => sum + file.size, 0);
    if (total > limit * 2 ** 20) throw tooLarge({ name: t("domains.together"), size: total }, limit);
    const form = new FormData();
    for (const file of files) form.append(...file);
    const options = { size: size.value, fit: fit.value, paired: paired.checked ? "yes" : "no", name: name.value, name_a: sides[0].name.value, name_b: sides[1].name.value };
    for (const [key, value] of Object.entries(options)) form.append(key, value);
    return form;
  }

  const fetched = new PublicSets({ sets, take, square: () => ({ size: Number(size.value), fit: fit.value }) });
  show(fetched.element, state.catalogue.two_domains?.public !== false); // not where many people are
  ensureStyles("domains.css");
  element.replaceChildren(h("div", { class: "play-pictures play-domains" },
    h("p", { class: "play-note" }, t("domains.hint", { size: limit })),
    sides.map((side) => side.element),
    labelled("domains.both", both),
    h("div", { class: "play-row" }, labelled("domains.size_label", size), labelled("domains.fit_label", fit)),
    h("label", { class: "play-check" }, paired, h("span", {}, t("domains.paired"))),
    labelled("domains.name", name),
    send, error, done,
    sets.length ? fetched.element : null));
  if (sets.length) fetched.look();
}
