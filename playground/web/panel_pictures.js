// My own pictures: a zip or files become a data set.
import { button, h, setText, show } from "./dom.js";
import { tooLarge } from "./panel_files.js";
import * as store from "./store.js";

const { t, state } = store;

function choice(name, options) {
  const select = h("select", { name, class: "play-select" });
  for (const [value, label] of options) select.append(h("option", { value }, label));
  return select;
}

/** `sizes` may be chosen, in pixels; `choose(key)` selects the new data set in the panel. */
export function mountPictures(element, sizes, choose) {
  const limit = state.catalogue.limits?.picture_upload_mb ?? 64;
  const files = h("input", { type: "file", name: "files", multiple: true, accept: ".zip,image/png,image/jpeg,image/webp,image/gif,image/bmp" });
  const size = choice("size", sizes.map((side) => [String(side), t("panel.pictures_side", { side })]));
  const colour = choice("colour", [["gray", t("panel.pictures_gray")], ["rgb", t("panel.pictures_rgb")]]);
  const name = h("input", { type: "text", name: "name", maxlength: "60", value: t("panel.pictures_name_default"), class: "play-select" });
  const error = h("div", { class: "play-error", role: "alert", hidden: true });
  const done = h("div", { class: "play-note", role: "status" });
  const send = button(t("panel.pictures_send"), upload, { kind: "small" });

  async function upload() {
    show(error, false);
    setText(done, t("panel.pictures_sending"));
    send.disabled = true;
    try {
      const added = await store.api("pictures", { form: collect() });
      await store.refreshCatalogue();
      const key = added.dataset;
      choose(key);
      const about = state.catalogue.datasets.find((d) => d.key === key) ?? added;
      setText(done, t("panel.pictures_done", { name: about.title ?? name.value, train: about.train ?? "?", test: about.test ?? "?" })
        + (added.notes?.length ? ` ${added.notes.join(" ")}` : ""));
    } catch (problem) {
      setText(done, "");
      setText(error, problem.sentence ?? String(problem));
      show(error, true);
    } finally {
      send.disabled = false;
    }
  }

  function collect() {
    if (!files.files.length) throw new store.PlayError(t("panel.pictures_none"));
    const form = new FormData();
    let total = 0;
    for (const file of files.files) {
      total += file.size;
      form.append("files", file, file.webkitRelativePath || file.name);
    }
    if (total > limit * 2 ** 20) throw tooLarge({ name: files.files[0].name, size: total }, limit);
    form.append("size", size.value);
    form.append("colour", colour.value);
    form.append("name", name.value);
    return form;
  }

  const missing = state.catalogue.datasets.filter((d) => d.available === false)
    .map((d) => h("p", { class: "play-note" }, t("panel.not_available", { title: d.title, reason: d.reason ?? "" })));
  const labelled = (key, control) => h("label", { class: "play-labelled" }, h("span", {}, t(key)), control);
  element.replaceChildren(h("div", { class: "play-pictures" },
    h("p", { class: "play-note" }, t("panel.pictures_hint", { size: limit })),
    labelled("panel.pictures_files", files),
    h("div", { class: "play-row" }, labelled("panel.pictures_size", size), labelled("panel.pictures_colour", colour)),
    labelled("panel.pictures_name", name),
    send, error, done, missing));
}
