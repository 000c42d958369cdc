// Elements from values. Text is always text: nothing here reads HTML, so a hostile name stays a name.

/** An element; `on…` in attributes are listeners, true and false set or leave out, null children are left out. */
export function h(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** A table in a box that scrolls sideways and can be reached by keyboard. `columns`: {title, number, line}; first cells head rows. */
export function table(caption, columns, rows, { hideCaption = false } = {}) {
  const kind = ({ number, line }) => (number ? "n" : line ? "line" : null);
  return h("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": caption },
    h("table", {},
      h("caption", { class: hideCaption ? "unseen" : null }, caption),
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col", class: kind(column) }, column.title)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, row.map((cell, place) => (place
        ? h("td", { class: kind(columns[place]) }, cell)
        : h("th", { scope: "row", class: kind(columns[place]) }, cell))))))));
}

/** A button that can't be pressed again until `work` has ended. */
export function button(label, work, attributes = {}) {
  const made = h("button", {
    type: "button",
    ...attributes,
    onclick: async () => {
      made.disabled = true;
      try { await work(); } finally { made.disabled = false; }
    },
  }, label);
  return made;
}

/** A labelled field. `control` gets the id. */
export function field(id, label, control, hint = null) {
  control.id = id;
  if (hint) control.setAttribute("aria-describedby", `${id}-hint`);
  return h("p", { class: "field" },
    h("label", { for: id }, label), control, hint && h("span", { class: "note", id: `${id}-hint` }, hint));
}

const said = document.getElementById("said");

/** Say something to everybody: shown for a while, and read out. */
export function say(text) {
  said.textContent = text;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.textContent = ""; }, 8000);
}
