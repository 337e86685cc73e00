/** Alerts beside the curve that set them off, each with its remedy as a button. */

import { announce, notify, own, state, t } from "./store.js";
import { fill, h } from "./curves_dom.js";
import { whole } from "./curves_format.js";
import { active, history, replaying } from "./curves_history.js";
import { attempt, remedyAction, rewindAction } from "./curves_settings.js";
import { isHome } from "./curves_spec.js";

const LEVELS = new Set(["watch", "warn", "collapse", "total"]);
const BAD = new Set(["collapse", "total"]);

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
  return charts.find((chart) => isHome(chart.spec, alert.alert)) ?? charts[0];
}

/** What to do about an alert, as buttons. */
function actions(alert) {
  const { run } = state;
  if (!run) return [];
  if (alert.alert === "diverged") return run.rewind ? [told(rewindAction(run))] : [];
  if (alert.remedies?.length) return alert.remedies.map((remedy) => forkAction(run, alert, remedy));
  // Where the engine has no remedy, the tab may know the mistake in the settings.
  const remedy = alert.remedy ?? own.remedyOf?.(alert, run);
  return remedy ? [told(remedyAction(run, remedy))] : [];
}

const told = ({ label, act }) => ({ label, act: () => attempt(act) });

/** A remedy that is tried in a fork from before the alert, beside the run that needs it. */
function forkAction(run, alert, remedy) {
  const act = async () => (await import("./remedies.js")).forkWith(run, alert, remedy);
  return { label: remedy.title, act: () => attempt(act) };
}

function card(alert) {
  const buttons = actions(alert).map(({ label, act }) =>
    h("button", { type: "button", class: "play-button small", onclick: (e) => busy(e.currentTarget, act) }, label));
  const close = h("button", {
    type: "button", class: "mon-close", "aria-label": t("monitor.dismiss"), onclick: () => dismiss(alert, close),
  }, "×");
  const { level = "note" } = alert;
  const bad = alert.alert === "diverged" || BAD.has(level);
  return h("div", { class: `mon-alert ${bad ? "bad" : ""}`, role: "group", dataset: { level, alert: alert.alert } },
    h("p", {}, LEVELS.has(level) ? h("b", { class: "mon-level" }, `${t(`monitor.level.${level}`)} `) : null,
      alert.sentence ?? t("monitor.alert.other"),
      h("span", { class: "mon-unit" }, ` ${t("monitor.at_step", { step: whole(alert.step) })}`)),
    alert.remedies?.length ? h("p", { class: "mon-unit" }, t("monitor.remedies")) : null,
    buttons.length ? h("div", { class: "play-row mon-remedies" }, buttons) : null, close);
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
