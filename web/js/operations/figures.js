// The figures of the operations page, section by section. What is not known is "not yet", never 0.

import { h, table } from "../dom.js";
import { duration } from "../duration.js";
import { number, percent } from "../language.js";
import { bar, svg } from "../svg.js";
import { flow } from "./charts.js";
import { t } from "./words.js";

const MINUTE = 60;

/** All sections for an answer of /operations. */
export function sections(found, drawn) {
  return [promise(found), waits(found), photos(found, drawn), operators(found), cost(found), recall(found), banks(found)];
}

const section = (name, ...content) => h("section", { class: `card ${name}`, "aria-labelledby": `${name}-title` },
  h("h2", { id: `${name}-title` }, t(`${name}_title`)), content);
const figure = (label, value, note = null, kind = "") => h("div", { class: kind || null }, h("dt", {}, label), h("dd", {}, value ?? t("not_yet"), note && h("small", { class: "block" }, note)));
const won = (amount) => t("won", { n: number(amount) });

function promise({ slo }) {
  const none = slo.decided === 0;
  const spent = slo.budget_left < 0;
  return section("slo", h("dl", {},
    figure(t("in_time"), none ? null : percent(slo.share_in_time, 2), t("target", { share: percent(slo.target, 1) })),
    figure(t("late"), none ? null : number(slo.late), none ? null : t("of", { n: number(slo.decided), late: number(slo.late) })),
    figure(t("budget"), none ? null : percent(Math.max(0, slo.budget_left), 0), spent ? t("budget_over") : null, spent ? "bad" : "")),
  !none && bar({ label: `${t("budget")}: ${percent(Math.max(0, slo.budget_left), 0)}`, value: Math.max(0, slo.budget_left), most: 1, kind: spent ? "over" : "" }));
}

const photos = ({ hours, days }, drawn) => section("flow", flow(hours, days, drawn));

function waits({ queues }) {
  return section("queues", h("dl", {},
    figure(t("screening"), number(queues.screening_messages)),
    figure(t("reviews"), number(queues.reviews_waiting)),
    figure(t("oldest"), queues.oldest_review_seconds === null ? t("nobody") : duration(queues.oldest_review_seconds))));
}

function operators({ operators: seen }) {
  const { week, checks_done: done, checks_predicted: predicted, checks_limit: limit } = seen;
  const facts = { done: number(done), predicted: number(predicted), limit: number(limit) };
  const words = t(limit === null ? "load_no_limit" : "load_words", facts);
  const over = limit !== null && predicted > limit;
  const verdicts = seen.upheld + seen.overturned;
  return section("operators",
    h("h3", {}, t("load", { week })),
    bar({ label: words, value: done, most: Math.max(done, predicted, limit ?? 0), marks: [predicted, ...(limit === null ? [] : [limit])], kind: over ? "over" : "" }),
    h("p", { class: over ? "problem" : "note" }, words, over && ` ${t("over_limit")}`),
    h("dl", {},
      figure(t("seconds"), seen.seconds_mean === null ? null : duration(seen.seconds_mean)),
      figure(t("overturn"), seen.overturn_rate === null ? null : percent(seen.overturn_rate, 0),
        verdicts ? t("overturn_words", { n: number(seen.overturned), all: number(verdicts) }) : null)));
}

function recall({ recall: rows }) {
  if (!rows.length) return section("recall", h("p", {}, t("recall_none")));
  const columns = [
    { title: t("model") }, { title: t("estimate"), number: true }, { title: t("interval"), line: true },
    { title: t("audited"), number: true }, { title: t("missed"), number: true }, { title: t("upheld"), number: true },
  ];
  return section("recall", table(t("recall_title"), columns, rows.map((row) => [
    row.model_version,
    row.estimate === null ? t("not_yet") : percent(row.estimate, 1),
    row.estimate === null ? "–" : h("span", {}, `${percent(row.low, 1)} – ${percent(row.high, 1)}`, interval(row)),
    number(row.audited), number(row.missed), number(row.flagged_upheld),
  ]), { hideCaption: true }));
}

/** The interval as a line from 0 to 100 %, with the estimate as a dot. */
function interval({ model_version: model, estimate, low, high }) {
  const words = t("recall_words", { model, estimate: percent(estimate, 1), low: percent(low, 1), high: percent(high, 1) });
  return svg("svg", { class: "interval", viewBox: "0 0 100 10", role: "img", "aria-label": words },
    svg("line", { class: "track", x1: 0, x2: 100, y1: 5, y2: 5 }),
    svg("line", { class: "range", x1: 100 * low, x2: 100 * high, y1: 5, y2: 5 }),
    svg("circle", { class: "dot", cx: 100 * estimate, cy: 5, r: 2.5 }));
}

function cost({ cost: { month, krw_estimated: now, krw_month_end: end, budget_krw: cap } }) {
  const over = end > cap;
  return section("cost", h("dl", {},
    figure(t("so_far", { month }), won(now)),
    figure(t("month_end"), won(end), null, over ? "bad" : ""),
    figure(t("cap"), won(cap))),
  bar({ label: t("cost_words", { now: number(now), end: number(end), cap: number(cap) }), value: now, most: Math.max(end, cap), marks: [end, cap], kind: over ? "over" : "" }));
}

function banks({ banks: known }) {
  return section("banks", h("dl", {},
    ["cleared", "banned", "inferences_avoided", "checks_avoided"].map((name) => figure(t(name), number(known[name]))),
    figure(t("minutes_saved"), duration(known.operator_minutes_saved * MINUTE))));
}
