// The status page: asks for status.json every two seconds and writes it down as text.

const EVERY_MS = 2000;
const words = JSON.parse(document.getElementById("words").textContent);
const $ = (id) => document.getElementById(id);

function t(key, vars = {}) {
  const text = words[`ops.${key}`] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in vars ? String(vars[name]) : whole));
}

/** An element with a text or children; nothing of the server is ever read as HTML. */
function el(tag, content = "", attributes = {}) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...[content].flat());
  return made;
}

const round = (value, digits = 0) =>
  Number(value).toLocaleString("en", { maximumFractionDigits: digits });
const known = (value, show) => (value === null || value === undefined ? t("none") : show(value));

function duration(seconds) {
  if (seconds < 100) return t("seconds", { value: round(seconds) });
  if (seconds < 6000) return t("minutes", { value: round(seconds / 60) });
  if (seconds < 172800) return t("hours", { value: round(seconds / 3600, 1) });
  return t("days", { value: round(seconds / 86400, 1) });
}

const milliseconds = (ms) => t("ms", { value: round(ms, ms < 10 ? 1 : 0) });

function megabytes(mb) {
  if (mb < 2048) return t("mb", { value: round(mb) });
  return t("gb", { value: round(mb / 1024, 1) });
}

/** A list of names with values; `big` shows the first ones large. */
function facts(rows, big = false) {
  const list = el("dl", [], big ? { class: "big" } : {});
  for (const [name, value] of rows) {
    const pair = [el("dt", t(name)), el("dd", String(value))];
    list.append(...(big ? [el("div", pair)] : pair));
  }
  return list;
}

const card = (title, parts, wide = false) =>
  el("section", [el("h2", t(title)), ...parts], wide ? { class: "wide" } : {});

/** Bars of the last 60 seconds. */
function bars(counts) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const most = Math.max(...counts, 1);
  svg.setAttribute("viewBox", `0 0 ${counts.length * 4 - 1} 40`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", t("chart", { most: Math.max(...counts, 0) }));
  counts.forEach((count, i) => {
    const height = count ? Math.max(2, (38 * count) / most) : 1;
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    const place = { x: i * 4, y: 40 - height, width: 3, height };
    for (const [name, value] of Object.entries(place)) bar.setAttribute(name, value);
    if (!count) bar.setAttribute("class", "floor");
    svg.append(bar);
  });
  return svg;
}

function runs(engine) {
  const training = t("training_of", { running: engine.running ?? 0, slots: engine.slots ?? 0 });
  return card("runs", [
    facts([["training", training], ["queued", engine.queued ?? 0], ["kept", engine.runs ?? 0]], true),
    facts([
      ["longest_wait", known(engine.longest_wait_s, duration)],
      ["frozen", round(engine.frozen ?? 0)],
      ["workers_up", engine.workers_up ?? 0],
    ]),
  ]);
}

function requests(traffic, refusals) {
  const large = [
    ["rate", round(traffic.requests_per_s, 1)],
    ["p50", known(traffic.p50_ms, milliseconds)],
    ["p95", known(traffic.p95_ms, milliseconds)],
  ];
  return card("requests", [
    facts(large, true),
    bars(traffic.per_second),
    facts([
      ["errors", round(traffic.errors)],
      ["refused", round(traffic.refused)],
      ["limited", round(traffic.rate_limited)],
      ["refusals", round(Object.values(refusals).reduce((sum, count) => sum + count, 0))],
    ]),
  ]);
}

function machine(engine, web) {
  return card("machine", [
    facts([
      ["device", engine.device ?? t("none")],
      ["gpu_memory", known(engine.gpu_memory_mb, megabytes)],
      ["disk", known(engine.disk_free_mb, megabytes)],
      ["memory", known(web.rss_mb, megabytes)],
      ["threads", known(web.threads, round)],
      ["files", known(web.files, round)],
      ["connections", round(web.connections)],
      ["streams", round(web.streams)],
    ]),
  ]);
}

function workers(engine) {
  const heads = ["col_pid", "col_state", "col_model", "col_memory", "col_beat"];
  const number = (i) => (i >= 3 ? { class: "number" } : {});
  const row = (cells, tag = "td") => el("tr", cells.map((cell, i) => el(tag, cell, number(i))));
  const beat = (s) => (s < 2 ? t("now") : t("ago", { seconds: round(s) }));
  const listed = engine.workers.map((worker) => row([
    known(worker.pid, String),
    worker.state ?? t("none"),
    worker.model || t("none"),
    known(worker.rss_mb, megabytes),
    known(worker.beat_s, beat),
  ]));
  if (engine.explorer) {
    const { pid, rss_mb: memory } = engine.explorer;
    const cells = [known(pid, String), t("explorer"), t("none"), known(memory, megabytes), t("none")];
    listed.push(row(cells));
  }
  if (!listed.length) return card("workers", [el("p", t("no_worker_rows"), { class: "quiet" })], true);
  return card("workers", [el("table", [
    el("thead", row(heads.map((head) => t(head)), "th")),
    el("tbody", listed),
  ])], true);
}

function show(status) {
  document.body.classList.remove("stale");
  $("state").className = status.ok ? "good" : "bad";
  const said = status.ok ? t("ok") : t("ill");
  if ($("state").textContent !== said) $("state").textContent = said;
  $("facts").textContent = [
    t("version", { version: status.web.version }),
    t("up", { time: duration(status.web.uptime_s) }),
    ...(status.public ? [t("counts_only")] : []),
  ].join(" · ");
  $("reasons").hidden = status.ok;
  $("reasons").replaceChildren(...status.reasons.map((reason) => el("li", reason)));
  $("cards").replaceChildren(
    runs(status.engine),
    requests(status.traffic, status.refusals),
    machine(status.engine, status.web),
    ...(status.engine.workers ? [workers(status.engine)] : []),
  );
}

function lost() {
  document.body.classList.add("stale");
  $("state").className = "bad";
  if ($("state").textContent !== t("lost")) $("state").textContent = t("lost");
}

async function ask() {
  if (!document.hidden) {
    try {
      const answer = await fetch("status.json", { cache: "no-store" });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      show(await answer.json());
    } catch {
      lost();
    }
  }
  setTimeout(ask, EVERY_MS);
}

ask();
