/** Alerts beside the curve that set them off, each with its remedy as a button. */

import { announce, notify, state, t } from "./store.js";
import { fill, h } from "./curves_dom.js";
import { whole } from "./curves_format.js";
import { active, history, replaying } from "./curves_history.js";
import { remedyAction, rewindAction } from "./curves_settings.js";

/**
 * Keep the alert cards of all charts up to date.
 * @param {import("./curves_chart.js").Chart[]} charts
 */
export function alerts(charts) {
  let drawn = "";
  const told = new Set();
  return {
    update() {
      const now = JSON.stringify([history.alerts, state.run?.state, state.run?.rewind, state.run?.id]);
      if (now === drawn) return;
      drawn = now;
      for (const chart of charts) {
        const mine = history.alerts.filter((alert) => home(charts, alert) === chart);
        fill(chart.alerts, mine.map((alert) => card(alert)));
      }
      for (const alert of history.alerts) tell(alert, home(charts, alert), told);
    },
    /** A live change may have been the remedy: then the card has done its work. */
    remedied(field) {
      const before = history.alerts.length;
      const left = history.alerts.filter((alert) => !(alert.remedy && field in alert.remedy));
      history.alerts.splice(0, before, ...left);
      if (left.length !== before) this.update();
    },
    forget() {
      told.clear();
    },
  };
}

function home(charts, alert) {
  return charts.find((chart) => chart.spec.alerts.includes(alert.alert)) ?? charts[0];
}

/** What to do about an alert, as buttons. */
function actions(alert) {
  const { run } = state;
  if (!run) return [];
  if (alert.alert === "diverged") return run.rewind ? [rewindAction(run)] : [];
  const remedy = remedyOf(alert, run);
  return remedy ? [remedyAction(run, remedy)] : [];
}

/** The engine's remedy; where it has none, the mistake in the settings that explains the alert. */
function remedyOf(alert, run) {
  if (alert.remedy) return alert.remedy;
  const averaged = run.config.reconstruction_reduction === "mean";
  return alert.alert === "posterior_collapse" && averaged ? { reconstruction_reduction: "sum" } : null;
}

function card(alert) {
  const buttons = actions(alert).map(({ label, act }) =>
    h("button", { type: "button", class: "play-button small", onclick: (e) => busy(e.currentTarget, act) }, label));
  const close = h("button", {
    type: "button", class: "mon-close", "aria-label": t("monitor.dismiss"), onclick: () => dismiss(alert, close),
  }, "×");
  return h("div", { class: `mon-alert ${alert.alert === "diverged" ? "bad" : ""}`, role: "group" },
    h("p", {}, alert.sentence ?? t("monitor.alert.other"),
      h("span", { class: "mon-unit" }, ` ${t("monitor.at_step", { step: whole(alert.step) })}`)),
    buttons.length ? h("div", { class: "play-row" }, buttons) : null, close);
}

async function busy(button, act) {
  button.disabled = true;
  try {
    await act();
  } finally {
    button.disabled = false;
  }
}

function dismiss(alert, close) {
  const index = history.alerts.indexOf(alert);
  if (index >= 0) history.alerts.splice(index, 1);
  close.closest(".mon-alert").remove();
}

/** Announce a new alert once; when its chart is out of sight, say it where it is seen. */
function tell(alert, chart, told) {
  const id = `${state.run?.id} ${alert.alert} ${alert.step}`;
  if (told.has(id)) return;
  told.add(id);
  if (replaying() && !active(state.run)) return;
  announce(alert.sentence ?? t("monitor.alert.other"));
  if (alert.alert !== "diverged" && !inSight(chart.element)) {
    notify(alert.sentence, { actions: actions(alert).map(({ label, act }) => [label, act]) });
  }
}

function inSight(element) {
  const box = element.getBoundingClientRect();
  return box.height > 0 && box.top < innerHeight && box.bottom > 0;
}
