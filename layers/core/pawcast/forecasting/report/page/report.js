"use strict";
// Charts, the choice of a store, language and sorting. The page is complete without it except for these.
(() => {
  const data = JSON.parse(document.getElementById("charts").textContent);
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const say = (code) => data.words[code][root.lang];
  const style = getComputedStyle(root);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });
  const shown = (value) => (value === null || value === undefined ? "–" : grouped.format(value));
  const midnight = (day) => Date.parse(`${day}T00:00:00Z`) / 1000;
  const BAND = "rgba(11, 92, 173, .16)";
  const NARROW = 600; // pixels
  const OPTIONS = 300; // stores that the list offers at once
  const drawn = new Map();
  let chosen = null;

  root.classList.add("scripts");

  function element(name, content, attributes = {}) {
    const made = document.createElement(name);
    if (typeof content === "string") made.textContent = content;
    else if (content) made.append(...content);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  // ---------------------------------------------------------------- language

  function remembered() {
    try { return localStorage.getItem("pawcast-language"); } catch { return null; }
  }

  function setLanguage(language, keep) {
    root.lang = language;
    for (const button of document.querySelectorAll("[data-language]")) {
      button.setAttribute("aria-pressed", String(button.dataset.language === language));
    }
    if (keep) {
      try { localStorage.setItem("pawcast-language", language); } catch { /* a page from disk may not keep anything */ }
    }
    drawAll();
  }

  // ---------------------------------------------------------------- charts

  function dayLabel(seconds) {
    const day = new Date(seconds * 1000);
    const place = (day.getUTCDay() + 6) % 7;
    const parts = [day.toISOString().slice(5, 10), say(`weekday_${place}`)];
    return (root.lang === "ko" ? parts : parts.reverse()).join(" ");
  }

  function line(label, stroke, more = {}) {
    return { label, stroke, width: 2, points: { show: true, size: 5 }, value: (_, value) => shown(value), ...more };
  }

  function draw(place, times, columns, options) {
    drawn.get(place)?.destroy();
    const holder = byId(place);
    holder.replaceChildren();
    holder.setAttribute("role", "img");
    holder.setAttribute("aria-label", options.label);
    const edge = { points: { show: false }, width: 0, spanGaps: false };
    const interval = (plot, high, series, at) => (
      at === null || high === null || high === undefined ? "–" : `${shown(plot.data[series - 1][at])} ~ ${shown(high)}`
    );
    const whole = columns.length;
    const marked = (series) => series === whole; // the interval is shown in the legend as it is drawn: a filled band
    const strokes = [null, ...(options.actual ? [colour("ink")] : []), colour("model")];
    const chart = new uPlot({
      width: Math.max(280, holder.clientWidth),
      height: 300,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { y: false, drag: { x: true, y: false } },
      scales: { x: { time: true }, y: { range: (_, low, high) => [0, Math.max(1, (high ?? 1) * 1.08)] } },
      axes: [
        { stroke: colour("soft"), grid: { stroke: colour("line") }, values: options.axis, splits: options.splits },
        { stroke: colour("soft"), grid: { stroke: colour("line") }, size: 64, values: (_, all) => all.map(shown) },
      ],
      series: [
        { label: options.unit, value: (_, seconds) => (seconds === null ? "–" : options.time(seconds)) },
        ...(options.actual ? [line(say("actual"), colour("ink"))] : []),
        line(say("forecast"), colour("model"), { dash: [6, 4] }),
        { ...line("", colour("model")), ...edge, class: "edge" },
        { ...line(say("interval"), colour("model")), ...edge, value: interval },
      ],
      bands: [{ series: [whole, whole - 1], fill: BAND }],
      legend: {
        markers: {
          width: (_, series) => (marked(series) ? 0 : 3),
          stroke: (_, series) => strokes[series] ?? "transparent",
          fill: (_, series) => (marked(series) ? BAND : "transparent"),
          dash: (_, series) => (series === whole - 2 ? "dashed" : "solid"),
        },
      },
      hooks: { drawClear: [(plot) => options.from && shade(plot, options.from)] },
    }, [times, ...columns], holder);
    drawn.set(place, chart);
  }

  function resize(width = (place) => Math.max(280, byId(place).clientWidth)) {
    for (const [place, chart] of drawn) chart.setSize({ width: width(place), height: 300 });
  }

  function shade(plot, from) {
    const left = plot.valToPos(from - 43200, "x", true);
    plot.ctx.save();
    plot.ctx.fillStyle = colour("tint");
    plot.ctx.fillRect(left, plot.bbox.top, plot.bbox.left + plot.bbox.width - left, plot.bbox.height);
    plot.ctx.restore();
  }

  /** Every so-manieth time, counted back from the planned Monday. */
  function every(step, times) {
    return times.filter((_, at) => (at - data.plan_from) % step === 0);
  }

  function drawDays(place, series, name) {
    const size = data.days.length;
    const columns = [series.a, [], [], []].map((own) => Array.from({ length: size }, (_, at) => own[at] ?? null));
    for (const [at, made] of [[series.e?.at, series.e], [data.plan_from, series.p]]) {
      if (!made) continue;
      ["y", "l", "h"].forEach((key, row) => made[key].forEach((value, day) => { columns[row + 1][at + day] = value; }));
    }
    draw(place, data.days.map(midnight), columns, {
      actual: true,
      label: `${name}: ${say("chain_caption")}`,
      unit: say("day"),
      time: dayLabel,
      axis: (_, all) => all.map((seconds) => new Date(seconds * 1000).toISOString().slice(5, 10)),
      splits: (plot) => every(plot.width < NARROW ? 21 : 7, data.days.map(midnight)),
      from: midnight(data.days[data.plan_from]),
    });
  }

  // ---------------------------------------------------------------- a store

  function tableOf(caption, heads, rows) {
    const number = (place) => (place ? { class: "n" } : {});
    const head = element("tr", heads.map((text, place) => element("th", text, { scope: "col", ...number(place) })));
    const body = rows.map(({ cells, closed }) => element("tr", cells.map((text, place) => (
      place ? element("td", text, number(place)) : element("th", text, { scope: "row" })
    )), closed ? { class: "closed" } : {}));
    const table = element("table", [element("caption", caption), element("thead", [head]), element("tbody", body)]);
    return element("div", [table], { class: "scroll", tabindex: "0", role: "group" });
  }

  function planRows(part, label) {
    return part.y.map((value, at) => {
      const closed = value === null;
      const cells = closed
        ? [label(at), say("closed"), "", "", "", ""]
        : [label(at), shown(value), `${shown(part.l[at])} ~ ${shown(part.h[at])}`, shown(part.s[at]), shown(part.n[at]),
          part.r[at] === null ? "–" : `${part.r[at]} %`];
      return { cells, closed };
    });
  }

  function planHeads(first) {
    return [say(first), ...["forecast", "interval", "staff", "needed", "risk"].map(say)];
  }

  function drawStore() {
    if (!chosen) return;
    const monday = midnight(data.days[data.plan_from]);
    byId("store-name").textContent = chosen.name;
    const method = data.words[`method_${chosen.method}`] ? say(`method_${chosen.method}`) : chosen.method;
    byId("store-facts").textContent = [
      chosen.id, `${say("method")}: ${method}`, `${say("arm")}: ${chosen.arm}`,
      `${say("staff_days")}: ${shown(chosen.staff)} (${say("before")}: ${shown(chosen.before)})`,
      `${say("risk")}: ${shown(chosen.risk)} %`,
    ].join(" · ");
    const charted = Boolean(chosen.p);
    byId("store-chart").hidden = !charted;
    byId("store-past").hidden = !charted;
    if (!charted) {
      for (const place of ["store-chart", "hours-chart"]) {
        drawn.get(place)?.destroy();
        drawn.delete(place);
      }
      byId("store-table").replaceChildren(element("p", say("not_charted"), { class: "note" }));
      byId("store-hours").replaceChildren();
      return;
    }
    drawDays("store-chart", chosen, chosen.name);
    drawPast();
    const days = planRows(chosen.p, (at) => dayLabel(monday + at * 86400));
    byId("store-table").replaceChildren(tableOf(say("store_days"), planHeads("day"), days));
    const hours = byId("store-hours");
    hours.replaceChildren();
    drawn.get("hours-chart")?.destroy();
    drawn.delete("hours-chart");
    if (!chosen.hours) return;
    const part = chosen.hours;
    const hour = (seconds) => `${dayLabel(seconds)} ${new Date(seconds * 1000).toISOString().slice(11, 16)}`;
    const times = Array.from({ length: 7 * 24 }, (_, since) => monday + since * 3600);
    const whole = (values) => part.t.reduce((all, since, at) => { all[since] = values[at]; return all; }, times.map(() => null));
    hours.append(element("div", null, { id: "hours-chart", class: "chart" }));
    draw("hours-chart", times, [part.y, part.l, part.h].map(whole), {
      actual: false,
      label: `${chosen.name}: ${say("store_hours")}`,
      unit: say("hour"),
      time: hour,
      axis: (_, all) => all.map(dayLabel),
      splits: (plot) => times.filter((_, at) => at % (plot.width < NARROW ? 48 : 24) === 0),
    });
    const folded = element("details", [
      element("summary", say("store_hours")),
      tableOf(say("store_hours"), planHeads("hour"), planRows(part, (at) => hour(times[part.t[at]]))),
    ]);
    hours.append(folded);
  }

  /** The known days as a table: what the chart draws left of the planned week. */
  function drawPast() {
    const heads = ["day", "actual", "forecast", "interval"].map(say);
    const made = (at, key) => chosen.e?.[key][at - chosen.e.at] ?? null;
    const rows = data.days.slice(0, data.known).map((day, at) => {
      const low = made(at, "l");
      return { cells: [dayLabel(midnight(day)), shown(chosen.a[at]), shown(made(at, "y")), low === null ? "–" : `${shown(low)} ~ ${shown(made(at, "h"))}`] };
    });
    const folded = byId("store-past");
    folded.replaceChildren(element("summary", say("as_table")), tableOf(`${chosen.name}: ${say("chain_caption")}`, heads, rows));
    folded.hidden = rows.length === 0;
  }

  function listStores(wanted) {
    const found = data.stores.filter((store) => `${store.name}\n${store.id}`.toLowerCase().includes(wanted));
    const next = found.includes(chosen) ? chosen : found[0];
    const offered = found.slice(0, OPTIONS);
    if (next && !offered.includes(next)) offered.push(next);
    byId("store").replaceChildren(...offered.map((store) => element(
      "option", `${store.look ? "● " : ""}${store.name}${store.name === store.id ? "" : ` (${store.id})`}`, { value: store.id },
    )));
    const counts = { shown: grouped.format(offered.length), count: grouped.format(found.length) };
    const cut = say("shown_of").replace(/\{(\w+)\}/g, (_, name) => counts[name]);
    byId("found").textContent = found.length === 0 ? say("not_found") : found.length > offered.length ? cut : "";
    if (next) choose(next.id);
  }

  function choose(id) {
    chosen = data.stores.find((store) => store.id === id) ?? chosen;
    if (chosen) byId("store").value = chosen.id;
    drawStore();
  }

  function drawAll() {
    drawDays("chain-chart", data.chain, document.title);
    listStores(byId("find").value.trim().toLowerCase());
  }

  // ---------------------------------------------------------------- sorting

  function value(cell) {
    const text = cell.textContent.replaceAll(",", "").replace("−", "-");
    const number = Number.parseFloat(text);
    return cell.classList.contains("n") ? (Number.isNaN(number) ? -Infinity : number) : text;
  }

  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, place) => {
      const button = element("button", [...head.childNodes], { type: "button" });
      head.append(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") !== "descending";
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows].map((row) => [value(row.cells[place]), row]);
        rows.sort(([one], [two]) => (one < two ? -1 : one > two ? 1 : 0) * (down ? -1 : 1));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }

  // ---------------------------------------------------------------- start

  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => setLanguage(button.dataset.language, true));
  }
  byId("find").addEventListener("input", (event) => listStores(event.target.value.trim().toLowerCase()));
  byId("store").addEventListener("change", (event) => choose(event.target.value));
  for (const link of document.querySelectorAll("[data-store]")) {
    link.addEventListener("click", () => {
      byId("find").value = "";
      chosen = data.stores.find((store) => store.id === link.dataset.store) ?? chosen;
      listStores("");
    });
  }
  addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details.prints")) folded.open = true;
    resize(() => 660); // fits A4 upright
  });
  addEventListener("afterprint", () => resize());
  let pending = 0;
  addEventListener("resize", () => {
    cancelAnimationFrame(pending);
    pending = requestAnimationFrame(() => resize());
  });
  root.lang = remembered() ?? (navigator.language.startsWith("ko") ? "ko" : "en");
  if (root.lang !== "ko" && root.lang !== "en") root.lang = "ko";
  const gravest = document.querySelector("[data-store]")?.dataset.store;
  chosen = data.stores.find((store) => store.id === gravest) ?? data.stores[0] ?? null;
  setLanguage(root.lang, false);
})();
