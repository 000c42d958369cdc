// The dialogs about one's own post: appeal, and withdraw.

import { post as send } from "../api.js";
import { problemText } from "../community.js";
import { field, h } from "../dom.js";
import { t } from "./words.js";

const APPEAL_MAX = 1000;

/** Ask for the words of an appeal and send them; `done` gets the post as it is then. */
export function appealDialog(one, done) {
  const words = h("textarea", { rows: "5", required: true, maxlength: String(APPEAL_MAX) });
  open("appeal", t("appeal_title"), [field("appeal-text", t("appeal_text"), words, t("appeal_hint"))], t("appeal_send"), "primary",
    () => send(`/posts/${one.post_id}/appeal`, { text: words.value.trim() }), done);
}

/** Say what goes and what stays, and withdraw. */
export function withdrawDialog(one, done) {
  open("withdraw", t("withdraw_title"), [h("p", {}, t("withdraw_text"))], t("withdraw_yes"), "danger",
    () => send(`/posts/${one.post_id}/withdraw`, {}), done);
}

function open(name, title, content, label, look, work, done) {
  const problem = h("p", { class: "problem", role: "alert" });
  const submit = h("button", { class: look }, label);
  const dialog = h("dialog", { "aria-labelledby": `${name}-title` },
    h("form", {
      onsubmit: async (event) => {
        event.preventDefault();
        submit.disabled = true;
        problem.textContent = "";
        try {
          const { post } = await work();
          dialog.close();
          done(post);
        } catch (error) {
          problem.textContent = problemText(error);
        } finally {
          submit.disabled = false;
        }
      },
    },
    h("h2", { id: `${name}-title` }, title), content, problem,
    h("p", { class: "buttons" }, submit, h("button", { type: "button", onclick: () => dialog.close() }, t("cancel")))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
