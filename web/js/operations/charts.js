// The chart of photos by hour or day, drawn by uPlot, with the same figures as a table for those who do not see it.

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { h, table } from "../dom.js";
import { dayOf, moment, number, shortDay, shortHour } from "../language.js";
import { t } from "./words.js";

const SERIES = [["uploads", "#0b5cad"], ["published", "#0b6b3a"], ["held", "#8a5a00"], ["rejected", "#b3261e"]];
const HOURS_A_DAY = 24;
const HEIGHT = 260;
const LABEL_WIDTH = 64; // pixels between labels below the chart, at least
const HOURLY_MOST = 2; // days that are drawn by the hour; longer windows by the day

/** Sums of each of the last `days` days of this browser's time zone, today so far among them; or the hours themselves. */
function points(hours, days) {
  if (days <= HOURLY_MOST) return hours;
  const sums = new Map();
  for (const hour of hours) {
    const at = new Date(hour.at);
    const day = new Date(at.getFullYear(), at.getMonth(), at.getDate()).toISOString();
    const sum = sums.get(day) ?? { at: day, uploads: 0, published: 0, held: 0, rejected: 0, decided_late: 0 };
    for (const name of ["uploads", "published", "held", "rejected", "decided_late"]) sum[name] += hour[name];
    sums.set(day, sum);
  }
  return [...sums.values()].slice(-days);
}

/** Labels under the points themselves, as many as there is room for. */
function below(shown, hourly) {
  const times = shown.map(({ at }) => Date.parse(at) / 1000);
  const named = (at) => {
    const moment = new Date(at * 1000);
    return hourly && moment.getHours() !== 0 ? shortHour(moment) : shortDay(moment);
  };
  return {
    splits: (chart) => {
      const each = Math.ceil((LABEL_WIDTH * times.length) / chart.width);
      return times.toReversed().filter((_, place) => place % each === 0).toReversed();
    },
    values: (_, splits) => splits.map(named),
  };
}

/** The chart and its table. `drawn` gets the chart, to be destroyed before the next one. */
export function flow(hours, days, drawn) {
  const shown = points(hours, days);
  const hourly = days <= HOURLY_MOST;
  const unit = t(hourly ? "hour" : "day_of");
  const named = (iso) => {
    if (hourly) return moment(iso);
    return iso === shown.at(-1).at ? t("so_far_today", { day: dayOf(iso) }) : dayOf(iso);
  };
  const place = h("div", { class: "chart", role: "img", "aria-label": t("flow_title") });
  requestAnimationFrame(() => {
    if (!place.isConnected) return;
    const chart = new uPlot({
      width: place.clientWidth,
      height: HEIGHT,
      cursor: { y: false },
      scales: { y: { range: (_, low, high) => [0, Math.max(high, 4) * 1.05] } },
      series: [{ label: unit, value: (_, at) => (at === null ? "–" : named(new Date(at * 1000).toISOString())) },
        ...SERIES.map(([name, colour]) => ({ label: t(name), stroke: colour, width: 2, points: { show: shown.length < HOURS_A_DAY + 8 }, value: (_, count) => number(count) }))],
      axes: [{ stroke: "#55606f", grid: { stroke: "#d9dee5" }, ...below(shown, hourly) }, { stroke: "#55606f", grid: { stroke: "#d9dee5" }, size: 60 }],
    }, [shown.map(({ at }) => Date.parse(at) / 1000), ...SERIES.map(([name]) => shown.map((point) => point[name]))], place);
    const watcher = new ResizeObserver(() => chart.setSize({ width: place.clientWidth, height: HEIGHT }));
    watcher.observe(place);
    drawn({ destroy() { watcher.disconnect(); chart.destroy(); } });
  });
  const columns = [{ title: unit }, ...SERIES.map(([name]) => ({ title: t(name), number: true })), { title: t("decided_late"), number: true }];
  const rows = shown.toReversed().map((point) => [named(point.at), ...SERIES.map(([name]) => number(point[name])), number(point.decided_late)]);
  return [place, h("details", {}, h("summary", {}, t("as_table")), table(t("flow_title"), columns, rows, { hideCaption: true }))];
}
