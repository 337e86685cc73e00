// "Repair it": a collapsed model is open; the learner changes settings and trains it on until it
// covers the data again.

import { h, setText } from "./explorer_dom.js";
import { button } from "./dom.js";
import { shown } from "./decode.js";
import { attempt, insteadLabel } from "./curves_settings.js";
import { forkCheckpoint } from "./remedies.js";
import { applySettings, emit, on, settings, state, t } from "./store.js";

const COLLAPSED = new Set(["warn", "collapse", "total"]);
const SHARE = 0.5; // of what real data cover of themselves
const CLASS_KL = 0.1; // nats: fewer than one of ten classes gone
const STEPS = 2000;

/** Whether a model covers its data again: half of what real data would, and no class lost. */
export function repaired(values) {
  return values?.coverage >= SHARE * (values.coverage_real ?? 0.97) && (values.class_kl_nats ?? 0) <= CLASS_KL;
}

/** The saved model from which the attached run is to be repaired, or null. */
export function underRepair(run) {
  const name = run?.parent?.checkpoint;
  return name && /collapsed/.test(name) ? name : null;
}

export class RepairCard {
  /** @param {import("./dcgan_sampler.js").Sampler} sampler */
  constructor(sampler) {
    this.sampler = sampler;
    this.said = h("p");
    this.changes = h("p", { class: "play-note" });
    this.go = button(t("dcgan.repair_go"), () => attempt(() => this.#start()), { kind: "primary" });
    this.element = h("div", { class: "dc-repair", hidden: true }, h("div", {}, this.said, this.changes), this.go);
    on("settings", () => this.#draw());
    on("run", () => this.#draw());
  }

  set(now) {
    this.now = now;
    this.#begin(now);
    this.#draw();
  }

  /** The learner begins with the settings that the model collapsed with. */
  #begin({ level }) {
    const checkpoint = this.#checkpoint();
    if (!checkpoint || !COLLAPSED.has(level) || this.begun === checkpoint.name) return;
    this.begun = checkpoint.name;
    applySettings({ model: checkpoint.model, dataset: checkpoint.dataset, config: checkpoint.config, preset: null });
  }

  #checkpoint() {
    const name = state.source?.checkpoint;
    return (name && state.catalogue.checkpoints.find((c) => c.name === name)) || null;
  }

  #draw() {
    const { values, level } = this.now ?? {};
    const checkpoint = this.#checkpoint();
    const offered = Boolean(checkpoint && values && COLLAPSED.has(level));
    const running = !checkpoint && values && underRepair(state.run);
    this.element.hidden = !offered && !running;
    this.go.hidden = !offered;
    if (offered) this.#offer(checkpoint);
    else if (running) this.#progress(values);
  }

  #offer(checkpoint) {
    const now = settings();
    const rows = this.#changed(checkpoint, now.config);
    setText(this.said, t("dcgan.repair_offer"));
    setText(this.changes, rows.length ? t("dcgan.repair_changes", { what: rows.slice(0, 4).join(", ") }) : t("dcgan.repair_none"));
    this.go.disabled = !rows.length || now.model !== checkpoint.model;
  }

  #changed(checkpoint, config) {
    return Object.entries(config)
      .filter(([name, to]) => name in checkpoint.config && checkpoint.config[name] !== to)
      .map(([name, to]) => insteadLabel(checkpoint.model, name, checkpoint.config[name], to));
  }

  #progress(values) {
    const done = repaired(values);
    const goal = SHARE * (values.coverage_real ?? 0.97);
    setText(this.said, t(done ? "dcgan.repair_done" : "dcgan.repair_goal", {
      now: shown(values.coverage, 2), goal: shown(goal, 2), kl: shown(values.class_kl_nats, 2), most: CLASS_KL,
    }));
    setText(this.changes, "");
    this.element.classList.toggle("done", done);
    if (done && this.told !== state.run.id) {
      this.told = state.run.id;
      emit("tried", { what: "repaired", run: state.run.id });
    }
  }

  #start() {
    const checkpoint = this.#checkpoint();
    return forkCheckpoint(checkpoint, settings().config, { max_steps: this.#until(checkpoint), title: t("dcgan.repair_title") });
  }

  #until(checkpoint) {
    return (checkpoint.step ?? 0) + STEPS;
  }
}
