// What all parts of the page are drawn with: elements, amounts, moments, and what is said about a failure.

const present = (children) => children.flat().filter((child) => child !== undefined && child !== null && child !== false);

/** Makes an element: `make("p", { class: "soft" }, "text", child)`. Texts are never read as HTML. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (attribute.startsWith("on")) element.addEventListener(attribute.slice(2), value);
    else if (typeof value === "boolean") element.toggleAttribute(attribute, value);
    else if (value !== undefined && value !== null) element.setAttribute(attribute, value);
  }
  element.append(...present(children));
  return element;
}

export const rupees = (amount) =>
  new Intl.NumberFormat("en-IN", { style: "currency", currency: "INR", minimumFractionDigits: 0 }).format(amount);

export function duration(minutes) {
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours && `${hours} h`, rest && `${rest} min`].filter(Boolean).join(" ");
}

/** A day on the shop's calendar, which has no time zone. */
const dayOf = (date) => new Date(`${date}T00:00Z`);
const format = (options) => new Intl.DateTimeFormat("en-IN", { timeZone: "UTC", ...options });
export const longDay = (date) => format({ weekday: "long", day: "numeric", month: "long" }).format(dayOf(date));
export const shortDay = (date) => ({
  weekday: format({ weekday: "short" }).format(dayOf(date)),
  day: format({ day: "numeric", month: "short" }).format(dayOf(date)),
});
export const clock = (time) => {
  const [hour, minute] = time.split(":");
  return `${hour % 12 || 12}:${minute}\u00a0${hour < 12 ? "am" : "pm"}`;
};
/** Today where the shop is, and the days after it. */
export function days(shop, count) {
  const today = dayOf(new Intl.DateTimeFormat("en-CA", { timeZone: shop.timezone }).format(new Date()));
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(today.getTime() + index * 86_400_000);
    const weekday = format({ weekday: "long" }).format(day).toLowerCase();
    return { date: day.toISOString().slice(0, 10), isOpen: Boolean(shop.hours[weekday]) };
  });
}

/** One of several: radio inputs that look like buttons. */
export function choices(name, options, { value, onChoose }) {
  return make("div", { class: "chips" }, options.map((option) => make("label", { class: "chip" },
    make("input", {
      type: "radio", name, value: option.value, checked: String(option.value) === String(value), disabled: Boolean(option.disabled),
      onchange: () => onChoose(option),
    }),
    make("span", {}, option.label),
  )));
}

/** A notice that a screen reader hears. `actions` are buttons. */
export function notice(kind, text, ...actions) {
  return make("div", { class: `notice ${kind}`, role: kind === "problem" ? "alert" : "status" }, make("p", {}, text), ...actions);
}

export function show(...content) {
  const main = document.querySelector("#main");
  main.replaceChildren(...present(content));
  return main;
}
