// The part of the catalogue that concerns this tab: its models, data for them, their checkpoints.
import { about } from "./page.js";
import { state } from "./store_core.js";

/** Whether a model trains on a data set, both as the catalogue has them. */
export function fits(model, dataset) {
  const only = dataset.models ?? [];
  return dataset.kind === model.kind && (!only.length || only.includes(model.key));
}

/** What this tab sees of the whole catalogue. */
export function seen(whole) {
  const mine = about[state.tab].models;
  const models = whole.models.filter((m) => mine.includes(m.key));
  return {
    ...whole,
    models,
    datasets: whole.datasets.filter((d) => models.some((m) => fits(m, d))),
    checkpoints: whole.checkpoints.filter((c) => mine.includes(c.model)),
    published: whole.published.filter((p) => mine.includes(p.model)),
  };
}

/** The model of a key as the catalogue has it, or null. */
export const modelOf = (key) => state.catalogue.models.find((m) => m.key === key) ?? null;

/** The data set of a key as the catalogue has it, or null. */
export const datasetOf = (key) => state.catalogue.datasets.find((d) => d.key === key) ?? null;
