// Windows over the console: the keys, and why a photo is passed on.

import { field, h, table } from "../dom.js";
import { KEYS, LABEL_KEYS, keysOn, setKeys } from "./keys.js";
import { t } from "./words.js";

const REASON_MAX = 200;

function shown(dialog, first) {
  const before = document.activeElement;
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before?.isConnected) before.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  first?.focus();
}

/** All keys, and the switch that turns them off. */
export function showHelp({ onKeys }) {
  const on = h("input", {
    type: "checkbox",
    checked: keysOn(),
    onchange: () => {
      setKeys(on.checked);
      onKeys();
    },
  });
  const close = h("button", { type: "button", class: "primary", onclick: () => dialog.close() }, t("close"));
  const line = (keys, what) => [keys.map((key) => [h("kbd", {}, key), " "]), what];
  const rows = [
    line(["Space", KEYS.reveal], t("help_reveal")), line([KEYS.boxes], t("help_boxes")),
    line(Object.keys(LABEL_KEYS), t("help_labels")),
    ...["uphold", "overturn", "skip", "undo", "comment", "pause", "help"].map((action) => line([KEYS[action]], t(`help_${action}`))),
  ];
  const dialog = h("dialog", { class: "help", "aria-labelledby": "help-title" },
    h("h2", { id: "help-title" }, t("help_title")), h("p", { class: "note" }, t("help_note")),
    table(t("help_title"), [{ title: t("help_key"), line: true }, { title: t("help_does") }], rows, { hideCaption: true }),
    h("p", {}, h("label", { class: "choice" }, on, " ", t("help_keys_on"))),
    h("p", { class: "buttons" }, close));
  shown(dialog, close);
}

/** Asks why; null when the operator thought better of it. */
export function askSkipReason() {
  return new Promise((resolve) => {
    let reason = null;
    const choose = (text) => {
      reason = text;
      dialog.close();
    };
    const own = h("input", { maxlength: REASON_MAX, autocomplete: "off", required: true });
    const ready = ["skip_unclear", "skip_known", "skip_upset"].map((code) => h("button", { type: "button", onclick: () => choose(t(code)) }, t(code)));
    const dialog = h("dialog", { "aria-labelledby": "skip-title" },
      h("h2", { id: "skip-title" }, t("skip_title")),
      h("div", { class: "choices" }, ready),
      h("form", {
        onsubmit: (event) => {
          event.preventDefault();
          if (own.value.trim()) choose(own.value.trim());
        },
      }, field("skip-reason", t("skip_other"), own),
      h("p", { class: "buttons" }, h("button", {}, t("skip_send")), h("button", { type: "button", onclick: () => dialog.close() }, t("cancel")))));
    dialog.addEventListener("close", () => resolve(reason));
    shown(dialog, ready[0]);
  });
}
