/** Which charts and which rows the monitor of the autoencoders has: data, no code. */

/**
 * A chart: one metric, train and test. `colour` names a CSS variable; `reference` says that the
 * published figure belongs on it; `zero` that 0 does; `slow` that it is drawn with the words, not
 * with every event; `alerts` are the kinds of alert that it sets off.
 */
export const CHARTS = [
  { key: "elbo", metric: "elbo_nats", colour: "--mon-elbo", height: 138, reference: true, alerts: ["diverged"] },
  { key: "reconstruction", metric: "reconstruction_nats", colour: "--mon-reconstruction", height: 92, alerts: [] },
  { key: "kl", metric: "kl_nats", colour: "--mon-kl", height: 92, alerts: ["posterior_collapse"] },
  { key: "gradient", metric: "grad_norm", slow: true, colour: "--mon-plain", height: 72, alerts: [] },
  { key: "speed", metric: "steps_per_s", zero: true, slow: true, colour: "--mon-plain", height: 72, alerts: [] },
];

/** Rows of the table of numbers; rows without any value are left out. */
export const ROWS = [
  { key: "elbo", metric: "elbo_nats", unit: "nats", colour: "--mon-elbo" },
  { key: "reconstruction", metric: "reconstruction_nats", unit: "nats", colour: "--mon-reconstruction" },
  { key: "kl", metric: "kl_nats", unit: "nats", colour: "--mon-kl" },
  { key: "code_reconstruction", metric: "code_reconstruction_nats", unit: "nats" },
  { key: "iwae_5", metric: "iwae_5_nats", unit: "nats" },
  { key: "iwae_50", metric: "iwae_50_nats", unit: "nats" },
  { key: "active_units", metric: "active_units", of: "latent_dim" },
  { key: "loss", metric: "loss", unit: "nats" },
  { key: "gradient", metric: "grad_norm" },
  { key: "beta", metric: "beta" },
  { key: "learning_rate", metric: "learning_rate" },
];
