// Approving or rejecting the plan version that is on the screen.

import * as api from "../api.js";
import { button, field, h, say } from "../dom.js";
import { number, sentence } from "../language.js";
import { t } from "./words.js";

export function decisionForm(week, { reload, reloadKeeping }) {
  const reason = h("textarea", { rows: "2", maxlength: "1000" });
  const problem = h("p", { class: "problem", role: "alert" });

  async function decide(decision) {
    problem.textContent = "";
    if (decision === "reject" && !reason.value.trim()) {
      problem.textContent = t("reason_needed");
      reason.focus();
      return;
    }
    const named = { week: week.week, version: week.plan_version, stores: number(week.stores) };
    if (!(await confirmed(t(`confirm_${decision}`, named), t(decision)))) return;
    try {
      await api.post(`/weeks/${encodeURIComponent(week.week)}/decision`, {
        decision, plan_version: week.plan_version, reason: reason.value,
      });
      say(t(decision === "approve" ? "approved" : "rejected"));
      await reload();
    } catch (error) {
      if (error.status === 409) say(t((await reloadKeeping()) ? "stale_kept" : "stale"));
      problem.textContent = [sentence(error.sentence), error.detail].filter(Boolean).join(" ");
    }
  }

  return h("section", { class: "card" }, h("h2", {}, t("decision")),
    field("decision-reason", t("reason_optional"), reason), problem,
    h("p", { class: "buttons" },
      button(t("approve"), () => decide("approve"), { class: "primary" }),
      button(t("reject"), () => decide("reject"), { class: "danger" })));
}

/** Ask once more; Escape says no. */
function confirmed(question, label) {
  return new Promise((resolve) => {
    const dialog = h("dialog", { "aria-labelledby": "question" },
      h("form", { method: "dialog" }, h("p", { id: "question" }, question),
        h("p", { class: "buttons" },
          h("button", { value: "yes", class: "primary" }, label), h("button", { value: "no" }, t("cancel")))));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
