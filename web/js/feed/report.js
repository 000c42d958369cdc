// The dialog in which a visitor reports a photo.

import { post as send } from "../api.js";
import { problemText } from "../community.js";
import { field, h, say } from "../dom.js";
import { t } from "./words.js";

const REASONS = ["human_face", "no_living_animal", "gruesome", "other"];
const WORDS_MAX = 500;

/** Ask why, and report; `done` is called when the report was taken. */
export function reportDialog(photo, done) {
  const words = h("textarea", { rows: "3", maxlength: String(WORDS_MAX) });
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: "primary" }, t("send"));
  const dialog = h("dialog", { "aria-labelledby": "report-title" },
    h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        submit.disabled = true;
        problem.textContent = "";
        try {
          const reason = new FormData(event.target).get("reason");
          await send(`/posts/${photo.post_id}/claims`, { reason, text: words.value.trim() });
          dialog.close();
          say(t("reported"));
          done();
        } catch (error) {
          problem.textContent = problemText(error);
        } finally {
          submit.disabled = false;
        }
      },
    },
    h("h2", { id: "report-title" }, t("report_title")),
    h("fieldset", {},
      h("legend", {}, t("report_why")),
      REASONS.map((reason) => h("label", { class: "choice" },
        h("input", { type: "radio", name: "reason", value: reason, required: true }), " ", t(reason)))),
    field("report-text", t("report_text"), words, t("report_hint")),
    problem,
    h("p", { class: "buttons" }, submit, h("button", { type: "button", onclick: () => dialog.close() }, t("cancel")))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
