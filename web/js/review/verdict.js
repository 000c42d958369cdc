// Where the operator says what they see and decides.

import { field, h } from "../dom.js";
import { KEYS, LABEL_KEYS } from "./keys.js";
import { keyHint } from "./stage.js";
import { t } from "./words.js";

const COMMENT_MAX = 500;

/** `act`: {uphold, overturn, skip, undo, saveComment, leave}. Answers {element, choose, focusComment, undoText}. */
export function verdictPanel({ view, draft }, act) {
  const radios = Object.entries(LABEL_KEYS).map(([key, label]) => ({
    label,
    key,
    input: h("input", { type: "radio", name: "label", value: label, checked: draft.label === label, "aria-keyshortcuts": key, onchange: () => choose(label) }),
  }));
  const comment = h("textarea", {
    rows: "2",
    maxlength: COMMENT_MAX,
    "aria-keyshortcuts": KEYS.comment,
    oninput: () => {
      draft.comment = comment.value;
      save.disabled = !comment.value.trim();
    },
    onkeydown: (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      act.leave();
    },
  });
  comment.value = draft.comment;
  const save = h("button", { type: "button", class: "quiet", disabled: !draft.comment.trim(), onclick: act.saveComment }, t("comment_save"));
  const undoLabel = h("span", {}, t("undo"));
  const undo = keyed("undo", act.undo, "quiet", undoLabel);

  function choose(label) {
    draft.label = label;
    for (const radio of radios) radio.input.checked = radio.label === label;
  }

  const element = h("section", { class: "panel verdict", "aria-labelledby": "verdict-title" },
    h("h2", { class: "unseen", id: "verdict-title" }, t("verdict")),
    h("fieldset", {}, h("legend", {}, t("what_seen")),
      radios.map(({ label, key, input }) => h("label", { class: "choice" }, input, h("span", {}, t(`label_${label}`)), keyHint(key)))),
    h("div", { class: "deciding" },
      keyed("uphold", act.uphold, "danger", h("span", {}, t("uphold"), h("small", { class: "block" }, t("uphold_means")))),
      keyed("overturn", act.overturn, "go", h("span", {}, t("overturn"), h("small", { class: "block" }, t("overturn_means"))))),
    h("div", { class: "buttons" }, keyed("skip", act.skip, "quiet", h("span", {}, t("skip"))), undo),
    field(`comment-${view.review_id}`, [t("comment"), " ", keyHint(KEYS.comment)], comment, t("comment_hint")), save);

  return {
    element,
    choose,
    focusComment: () => comment.focus(),
    clearComment: () => {
      draft.comment = "";
      comment.value = "";
      save.disabled = true;
    },
    /** What can be taken back, and for how long: null for nothing. */
    undoText(text) {
      undo.disabled = text === null;
      undoLabel.textContent = text ?? t("undo");
    },
  };
}

const keyed = (action, work, kind, label) => h("button", { type: "button", class: kind, "aria-keyshortcuts": KEYS[action], onclick: work }, label, " ", keyHint(KEYS[action]));
