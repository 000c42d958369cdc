// The queue in one strip: what waits, for how long, and the week against its limit.

import { h } from "../dom.js";
import { duration } from "../duration.js";
import { number } from "../language.js";
import { bar } from "../svg.js";
import { t } from "./words.js";

// Until the summary is there its strip has the same height, so that nothing below it jumps.
const UNKNOWN = {
  waiting: null, by_reason: {}, overdue: null, locked: null,
  capacity: { checks_done: null, checks_predicted: null, checks_limit: null },
};
const ORDER = ["claim", "failed", "appeal", "flagged", "disagreement", "audit"];

export function summaryStrip() {
  const element = h("section", { class: "strip" });
  let summary = null;

  function draw() {
    element.setAttribute("aria-label", t("waiting"));
    const seen = summary ?? UNKNOWN;
    const item = (name, value, kind = null) => h("div", { class: kind }, h("dt", {}, name), h("dd", {}, value));
    const reasons = ORDER.filter((reason) => seen.by_reason[reason]).map((reason) => `${t(`reason_${reason}`)} ${number(seen.by_reason[reason])}`);
    return element.replaceChildren(h("dl", {},
      item(t("waiting"), [number(seen.waiting), h("small", {}, reasons.join(" · ") || "\u00a0")]),
      item(t("oldest"), oldest()),
      item(t("overdue_count"), number(seen.overdue), seen.overdue ? "bad" : null),
      item(t("locked"), number(seen.locked)),
      capacity(seen.capacity)));
  }

  function oldest() {
    if (!summary) return "–";
    return summary.oldest_seconds === null ? t("nothing") : duration(summary.oldest_seconds);
  }

  function capacity({ checks_done: done, checks_predicted: predicted, checks_limit: limit }) {
    const label = t("capacity_line", { done: number(done), predicted: number(predicted), limit: number(limit) });
    return h("div", { class: "capacity" }, h("dt", {}, t("capacity")), h("dd", {},
      bar({ label, value: done ?? 0, most: Math.max(limit ?? 0, predicted ?? 0, done, 1), marks: [predicted, limit].filter((one) => one !== null), kind: limit !== null && predicted > limit ? "bad" : "" }),
      h("small", { "aria-hidden": "true" }, label)));
  }

  return {
    element,
    draw,
    update(answer) {
      summary = answer;
      draw();
    },
    updateCapacity(answer) {
      if (!summary || !answer) return;
      summary.capacity = answer;
      draw();
    },
    /** How many this operator could take up: neither in a hand nor somebody else's to decide. */
    open: () => (summary ? Math.max(0, summary.waiting - summary.locked - summary.mine_blocked) : 0),
    blocked: () => summary?.mine_blocked ?? 0,
  };
}
