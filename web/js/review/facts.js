// What is known of the photo: why it is here, what the model says, who uploaded it (in numbers), what was done so far.

import { h } from "../dom.js";
import { duration } from "../duration.js";
import { moment, number, percent } from "../language.js";
import { bar } from "../svg.js";
import { known, t } from "./words.js";

const SCORE_DIGITS = 2;
const UPLOADER = ["posts", "published", "rejected", "upheld", "overturned"];

/** Why the photo is here, above the verdict. */
export function reasonCard(view) {
  return h("section", { class: "panel", "aria-label": t(`reason_${view.reason}`) },
    h("p", { class: "reason" }, h("strong", {}, t(`reason_${view.reason}`)), dueBadge(view)),
    h("p", { class: "note" }, t(`why_${view.reason}`)),
    view.text && h("figure", {}, h("figcaption", { class: "note" }, known(`${view.reason}_text`, t("note_text"))), h("blockquote", {}, view.text)),
    view.decision ? modelLines(view.decision) : view.bank_match ? "" : h("p", { class: "note" }, t("no_decision")),
    view.bank_match && h("p", { class: "note" }, t(`bank_${view.bank_match.bank}`, {
      distance: view.bank_match.distance, label: known(`label_${view.bank_match.label}`, view.bank_match.label),
    })),
    view.sampling_probability && h("p", { class: "note" }, t("sampling", { share: percent(view.sampling_probability, 1) })),
    view.skips > 0 && h("p", { class: "note" }, t("skips", { n: view.skips })));
}

/** When the photo is due; `tick` keeps it right as time goes by. */
function dueBadge(view) {
  return h("span", { class: "badge due", "data-due": view.due_at });
}

export function tickDue(root, now) {
  for (const badge of root.querySelectorAll("[data-due]")) {
    const left = (Date.parse(badge.dataset.due) - now) / 1000;
    badge.classList.toggle("bad", left < 0);
    const text = t(left < 0 ? "overdue" : "due_in", { time: duration(Math.abs(left)) });
    if (badge.textContent !== text) badge.textContent = text;
  }
}

function modelLines(decision) {
  const label = t("probability", { p: number(decision.probability, SCORE_DIGITS), threshold: number(decision.threshold, SCORE_DIGITS) });
  const more = [t("version", { model: decision.model, version: decision.model_version }),
    decision.detector_score === null ? null : t("detector", { score: number(decision.detector_score, SCORE_DIGITS) })];
  return h("div", { class: "model" },
    h("p", {}, label),
    bar({ label, value: decision.probability, most: 1, marks: [decision.threshold], kind: decision.probability >= decision.threshold ? "bad" : "good" }),
    h("p", { class: "note" }, more.filter(Boolean).join(" · ")));
}

/** The post, its uploader and its history, below the verdict. */
export function moreFacts(view) {
  const pair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return [
    h("section", { class: "panel" }, h("h2", {}, t("post")),
      view.description && h("p", {}, view.description),
      h("p", { class: "note" }, [
        view.tags.length ? `${t("tags")}: ${view.tags.join(", ")}` : null,
        view.uploaded_at ? `${t("uploaded")}: ${moment(view.uploaded_at)}` : null,
        view.width ? `${t("size")}: ${view.width} × ${view.height}` : null,
      ].filter(Boolean).join(" · "))),
    h("section", { class: "panel" }, h("h2", {}, t("uploader")),
      h("dl", { class: "small" }, UPLOADER.map((name) => pair(t(`u_${name}`), number(view.uploader[name]))), pair(t("u_since"), view.uploader.since))),
    h("section", { class: "panel" }, h("h2", {}, t("history")),
      view.history.length ? h("ol", { class: "history" }, [...view.history].reverse().map(historyLine)) : h("p", { class: "note" }, t("history_none"))),
  ];
}

function historyLine(one) {
  const who = one.operator === "you" ? t("you") : t("other_operator");
  const what = [known(`kind_${one.kind}`, one.kind), one.label ? known(`label_${one.label}`, one.label) : null].filter(Boolean).join(": ");
  return h("li", {}, h("span", {}, what), h("span", { class: "note block" }, `${moment(one.at)} · ${who}`), one.comment && h("blockquote", {}, one.comment));
}
