// The sets that CycleGAN was published with: fetched by the server, one at a time, with progress.
import { button, h, setText, show } from "./dom.js";
import { api, t } from "./store.js";

const LOOK_MS = 700;
const MB = 1e6;
const ACTIVE = new Set(["fetching", "reading"]);

export class PublicSets {
  /**
   * @param {{sets: Array<Object>, take: (added: Object) => Promise<string>, square: () => {size: number, fit: string}}} given
   *   `take` gets a finished data set and returns what is to be said of it
   */
  constructor({ sets, take, square }) {
    Object.assign(this, { take, square, timer: 0, waiting: false });
    this.select = h("select", { name: "public_set", class: "play-select" }, sets.map((set) => h("option", { value: set.key }, t("domains.public_option", {
      key: set.key, a: set.domains[0], b: set.domains[1], size: set.megabytes.toLocaleString("en"),
    }))));
    this.fetch = button(t("domains.public_fetch"), () => this.#begin(), { kind: "small" });
    this.stop = button(t("domains.public_stop"), () => this.#stop(), { kind: "small quiet" });
    this.progress = h("progress", { "aria-label": t("domains.public_progress"), hidden: true });
    this.said = h("div", { class: "play-note", role: "status" });
    this.error = h("div", { class: "play-error", role: "alert", hidden: true });
    show(this.stop, false);
    this.element = h("fieldset", { class: "play-domain" }, h("legend", {}, t("domains.public")),
      h("p", { class: "play-note" }, t("domains.public_hint")),
      h("label", { class: "play-labelled" }, h("span", {}, t("domains.public_set")), this.select),
      h("div", { class: "play-row" }, this.fetch, this.stop), this.progress, this.said, this.error);
  }

  /** Ask how far a set is, and again while one is on its way. */
  async look() {
    clearTimeout(this.timer);
    try {
      await this.#show((await api("public-sets")).job);
    } catch (problem) {
      if (this.waiting) this.#fail(problem);
    }
  }

  async #begin() {
    show(this.error, false);
    setText(this.said, "");
    this.fetch.disabled = true;
    try {
      const job = await api("public-sets", { body: { set: this.select.value, ...this.square() } });
      this.waiting = true;
      await this.#show(job);
    } catch (problem) {
      this.#fail(problem);
    }
  }

  async #stop() {
    this.stop.disabled = true;
    try {
      await api("public-sets", { method: "DELETE" });
    } catch (problem) {
      this.#fail(problem);
    }
    await this.look();
  }

  #fail(problem) {
    this.waiting = false;
    setText(this.error, problem.sentence ?? String(problem));
    show(this.error, true);
    this.#rest();
  }

  #rest() {
    this.fetch.disabled = false;
    show(this.progress, false);
    show(this.stop, false);
  }

  async #show(job) {
    if (!job || !ACTIVE.has(job.stage)) {
      this.#rest();
      if (job?.mine && this.waiting) await this.#end(job);
      return;
    }
    this.waiting ||= job.mine;
    this.fetch.disabled = true;
    this.stop.disabled = false;
    show(this.stop, job.mine);
    show(this.progress, true);
    this.#measure(job);
    this.timer = setTimeout(() => { if (this.element.isConnected) this.look(); }, LOOK_MS);
  }

  #measure({ key, stage, done, total }) {
    if (stage === "fetching" && total) {
      Object.assign(this.progress, { max: total, value: done });
      const mb = (bytes) => Math.round(bytes / MB).toLocaleString("en");
      setText(this.said, t("domains.public_fetching", { key, done: mb(done), total: mb(total) }));
    } else {
      this.progress.removeAttribute("value");
      setText(this.said, t(stage === "reading" ? "domains.public_reading" : "domains.public_asking", { key, done: done.toLocaleString("en") }));
    }
  }

  async #end(job) {
    this.waiting = false;
    setText(this.said, "");
    if (job.stage === "ready") setText(this.said, await this.take(job.added));
    else if (job.stage === "stopped") setText(this.said, job.error ?? "");
    else this.#fail({ sentence: job.error });
  }
}
