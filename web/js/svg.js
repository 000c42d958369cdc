// Drawings from values: SVG elements, and the bar that shows a number against its limits.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** An SVG element. */
export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A bar from 0 to `most` filled up to `value`, with a line at each of `marks`; `label` says it in words. */
export function bar({ label, value, most, marks = [], kind = "" }) {
  const place = (one) => (most > 0 ? Math.max(0, Math.min(100, (100 * one) / most)) : 0);
  return svg("svg", { class: `bar ${kind}`.trim(), viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("rect", { class: "track", x: 0, y: 2, width: 100, height: 6 }),
    svg("rect", { class: "fill", x: 0, y: 2, width: place(value), height: 6 }),
    ...marks.map((one) => svg("line", { class: "mark", x1: place(one), x2: place(one), y1: 0, y2: 10 })));
}
