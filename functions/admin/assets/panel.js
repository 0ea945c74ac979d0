// Comforts of the panel. Every page works without them.

const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

/** Makes an element; texts are inserted as texts, never as HTML. */
function element(name, properties, ...children) {
  const made = document.createElement(name);
  for (const key in properties) key in made ? (made[key] = properties[key]) : made.setAttribute(key, properties[key]);
  made.append(...children);
  return made;
}

/** Shows a dialog that is removed when it closes. */
function open(dialog) {
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}

// Forms

/** Buttons that wait for the answer to a form. */
let waiting = [];

/** A form that was sent is not sent again until its page is shown anew. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.getAttribute("method") !== "post") return;
  // Later, because a disabled button would not be part of what is sent.
  setTimeout(() => {
    const buttons = all("button:enabled", form);
    for (const button of buttons) button.disabled = true;
    waiting.push(...buttons);
  });
});
addEventListener("pageshow", () => {
  for (const button of waiting) button.disabled = false;
  waiting = [];
});

/** Filters apply themselves; with the keyboard after a pause, so that a choice can be passed on the way to the next. */
for (const form of all("form[data-auto]")) {
  let timer, pause;
  form.classList.add("auto");
  form.prepend(element("p", { className: "visually-hidden", textContent: "Filters apply at once." }));
  form.addEventListener("keydown", () => (pause = 1200));
  form.addEventListener("pointerdown", () => (pause = 0));
  form.addEventListener("change", ({ target }) => {
    if (!target.matches("select, [type=date]")) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      sessionStorage.setItem("filter", target.id);
      form.requestSubmit();
    }, pause);
  });
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
}
const filter = sessionStorage.getItem("filter");
if (filter) document.getElementById(filter)?.focus();
sessionStorage.removeItem("filter");

for (const secret of all(".secret")) {
  const copy = one("button", secret) ?? secret.appendChild(element("button", { type: "button", className: "plain", textContent: "Copy" }));
  const said = secret.appendChild(element("span", { role: "status" }));
  copy.addEventListener("click", async () => {
    const text = one("code", secret).textContent.trim();
    said.textContent = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Copy it by hand");
  });
}

for (const number of all("[data-copy]")) {
  const text = number.textContent.trim();
  const copy = number.appendChild(element("button", { type: "button", className: "plain", textContent: "Copy", ariaLabel: `Copy ${text}` }));
  const said = number.appendChild(element("span", { role: "status" }));
  copy.addEventListener("click", async () => {
    said.textContent = await navigator.clipboard.writeText(text).then(() => "Copied", () => "Copy it by hand");
  });
}

/** Notes and coins by their number, whose sum is the count of the drawer. */
for (const form of all("form.drawer")) {
  const counted = one("[name=counted]", form);
  const inputs = [500, 200, 100, 50, 20, 10, 1].map((value) =>
    element("input", { id: `notes-${value}`, type: "number", min: "0", inputMode: "numeric", "data-value": value }));
  const box = element("fieldset", {}, element("legend", { textContent: "Notes and coins" }), element("div", { className: "denominations" }, ...inputs.map((input) =>
    element("div", { className: "field" },
      element("label", { htmlFor: input.id, textContent: input.dataset.value === "1" ? "Coins, in ₹" : `₹${input.dataset.value} notes` }), input))));
  box.addEventListener("input", () => {
    counted.value = inputs.reduce((sum, input) => sum + Number(input.value) * Number(input.dataset.value), 0).toFixed(2);
  });
  counted.closest(".field").before(box);
}

// Keys

const PLACES = { t: "", b: "bookings/", n: "bookings/new/", p: "payments/", k: "cash/", c: "customers/", r: "reports/", s: "services/", l: "prices/", m: "vehicle-models/", h: "shop/hours/", u: "users/", a: "activity/" };
const KEYS = [
  ["Ctrl K, /", "Search"],
  ["?", "This list"],
  ["g t, g b, g n", "Today, bookings, new booking"],
  ["g p, g k, g c, g r", "Payments, cash, customers, reports"],
  ["g s, g l, g m, g h", "Services, prices, models, opening hours"],
  ["g u, g a", "Users, activity"],
  ["j, k", "Next and previous row or job"],
  ["Enter, e", "Open it"],
  ["m", "Move the job"],
  ["x", "Tick the row"],
  ["Arrows, Enter", "Prices: move between cells"],
  ["Shift + arrows", "Prices: select cells"],
  ["Ctrl D, Ctrl R", "Prices: fill down, fill right"],
  ["Ctrl V", "Prices: paste cells"],
];

/** Lists the keys; single keys can be switched off for people whose speech input would press them. */
function help() {
  const keys = element("dl");
  for (const [key, what] of KEYS) keys.append(element("dt", {}, element("kbd", { textContent: key })), element("dd", { textContent: what }));
  const single = element("input", { type: "checkbox", checked: !localStorage.noKeys });
  single.addEventListener("change", () => (single.checked ? localStorage.removeItem("noKeys") : (localStorage.noKeys = 1)));
  const close = element("button", { className: "plain", textContent: "Close" });
  open(
    element("dialog", { "aria-labelledby": "keys" },
      element("h2", { id: "keys", textContent: "Keys" }), keys,
      element("form", { method: "dialog", className: "actions" }, element("label", {}, single, "Use single keys"), close)),
  );
}

one(".me .menu")?.append(element("button", { type: "button", className: "plain", textContent: "Keys", onclick: help }));

/** Opens a search that leads to records, or to sections while nothing is typed. */
function palette() {
  const list = element("div", { id: "found", role: "listbox", "aria-label": "Found" });
  const input = element("input", { placeholder: "Search or go to…", autocomplete: "off", role: "combobox", "aria-label": "Search", "aria-controls": "found", "aria-expanded": "true" });
  const sections = all("#sections a").map((link) => ({ group: "Go to", title: link.textContent, href: link.pathname }));
  let options = [], at = -1, timer, asked = 0;
  const choose = (index) => {
    options[at]?.setAttribute("aria-selected", "false");
    at = options.length ? (index + options.length) % options.length : -1;
    options[at]?.setAttribute("aria-selected", "true");
    options[at]?.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", options[at]?.id ?? "");
  };
  const show = (found) => {
    list.replaceChildren();
    options = found.map(({ group, title, href }, index) => {
      const option = element("div", { id: `found-${index}`, role: "option", "aria-selected": "false", textContent: title });
      option.addEventListener("click", () => location.assign(href));
      let box = [...list.children].find((box) => box.ariaLabel === group);
      box ??= list.appendChild(element("div", { role: "group", ariaLabel: group }, element("p", { textContent: group, ariaHidden: "true" })));
      return box.appendChild(option);
    });
    at = -1;
    choose(0);
  };
  const ask = async () => {
    const mine = ++asked, text = input.value.trim();
    if (!text) return show(sections);
    const answer = await fetch(`/admin/search/suggestions/?q=${encodeURIComponent(text)}`).then((answer) => (answer.ok ? answer.json() : []), () => []);
    // An answer that is overtaken by the next question is dropped.
    if (mine === asked) show([...answer, { group: "Search", title: `Search for “${text}”`, href: `/admin/search/?q=${encodeURIComponent(text)}` }]);
  };
  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 150);
  });
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) choose(at + step);
    else if (event.key === "Enter") options[at]?.click();
    else return;
    event.preventDefault();
  });
  open(element("dialog", { className: "palette", "aria-label": "Search" }, input, list));
  show(sections);
}

/** Rows of a list, or jobs of a board. */
const ROW = "main .table tbody tr, article.job";

/** Moves to the link of the row that is so many rows further. */
function step(by) {
  const rows = all(ROW).filter((row) => one("a", row));
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  if (row) one("a", row).focus();
}

/** Whether `g` was the key before. */
let goes = false;

document.addEventListener("keydown", (event) => {
  if (!one("#sections") || one("dialog[open]")) return;
  const { key, target } = event;
  if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === "k") {
    event.preventDefault();
    return palette();
  }
  const typing = target.closest("input:not([type=checkbox]), select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || localStorage.noKeys) return;
  const row = document.activeElement.closest(ROW);
  const place = goes ? PLACES[key] : undefined;
  goes = key === "g";
  if (place !== undefined) one(`#sections a[href="/admin/${place}"]`)?.click();
  else if (key === "/") palette();
  else if (key === "?") help();
  else if (key === "j") step(1);
  else if (key === "k") step(-1);
  else if (row && (key === "e" || key === "x")) one(key === "e" ? "a" : "[type=checkbox]", row)?.click();
  else if (row?.draggable && key === "m") location.assign(`/admin/bookings/${row.dataset.id}/move/?back=${encodeURIComponent(location.pathname + location.search)}`);
  else return;
  event.preventDefault();
});

// Bookings

for (const button of all("[data-print]")) button.addEventListener("click", () => print());

/** Counts what is ticked in a list; a tick means that the ticked ones are meant. */
for (const form of all("form.bulk")) {
  const boxes = all("[name=row]", form);
  const head = one("thead th", form).appendChild(element("input", { type: "checkbox", "aria-label": "Tick all on this page" }));
  const count = () => {
    const ticked = boxes.filter((box) => box.checked).length;
    one("[data-ticked]", form).textContent = ticked ? `${ticked} ticked` : "";
    head.checked = ticked === boxes.length;
  };
  head.addEventListener("change", () => {
    for (const box of boxes) box.checked = head.checked;
    one("[value=ticked]", form).checked = true;
    count();
  });
  for (const box of boxes) box.addEventListener("change", count);
  count();
}

/** Shows the parts of a page anew that another answer has differently, except the input that has the focus. */
async function show(answer, parts) {
  if (!answer.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of all(parts)) {
    const next = page.getElementById(part.id);
    const typing = document.activeElement;
    if (!next || next.innerHTML === part.innerHTML) continue;
    if (part.contains(typing) && typing.matches("input, select, textarea")) continue;
    const focused = part.contains(typing) && (typing.id || typing.getAttribute("href"));
    part.replaceChildren(...next.childNodes);
    if (focused) (document.getElementById(focused) ?? one(`[href="${CSS.escape(focused)}"]`, part))?.focus();
  }
}

/** Whether a card is being dragged, so that the board must stay as it is. */
let dragged;

if (one("[data-refresh]")) {
  setInterval(async () => {
    if (document.hidden || dragged || waiting.length || one("dialog[open]")) return;
    await show(await fetch(location.href).catch(() => ({})), "[data-refresh]");
  }, 20000);
}

/** Sends a form as if it stood on the page. */
function send(action, values) {
  const form = element("form", { method: "post", action, hidden: true });
  for (const name in values) form.append(element("input", { type: "hidden", name, value: values[name] }));
  document.body.append(form);
  form.requestSubmit();
}

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("article.job");
  if (dragged) event.dataTransfer.setData("text/plain", dragged.dataset.id);
});
document.addEventListener("dragend", () => (dragged = undefined));
document.addEventListener("dragover", (event) => {
  const row = event.target.closest?.("[data-time], .days a[href]");
  if (!dragged || !row) return;
  event.preventDefault();
  for (const over of all(".over-here")) over.classList.remove("over-here");
  row.classList.add("over-here");
});
document.addEventListener("drop", (event) => {
  const row = dragged && event.target.closest?.("[data-time]");
  for (const over of all(".over-here")) over.classList.remove("over-here");
  if (!row) return;
  event.preventDefault();
  const { id, version } = dragged.dataset;
  const date = one("[data-board]").dataset.board;
  send(`/admin/bookings/${id}/move/`, { version, date, time: row.dataset.time, back: location.pathname + location.search });
});

/** Asks for the form's page again when an input changes that others depend on. */
for (const form of all("form[data-live]")) {
  document.documentElement.classList.add("script");
  let timer, asked = 0;
  const ask = async () => {
    const mine = ++asked, values = new FormData(form);
    values.delete("form_key");
    const answer = await fetch(`${location.pathname}?${new URLSearchParams(values)}`).catch(() => ({}));
    if (mine === asked) await show(answer, "[data-part]");
  };
  form.addEventListener("input", ({ target }) => {
    if (!target.matches("[data-live-input]")) return;
    clearTimeout(timer);
    timer = setTimeout(ask, 250);
  });
  const sum = () => {
    const prices = all("[data-price]:checked", form).map((box) => Number(box.dataset.price));
    const rupees = (prices.reduce((sum, price) => sum + price, 0) / 100).toLocaleString("en-IN", { minimumFractionDigits: 2 });
    for (const shown of all("[data-sum]", form)) shown.textContent = prices.length ? `${shown.dataset.sum}: ₹${rupees}` : "";
  };
  form.addEventListener("change", sum);
  sum();
  form.addEventListener("click", (event) => {
    const choice = event.target.closest("button[name=model]");
    if (!choice) return;
    event.preventDefault();
    one("#field-model", form).value = choice.value;
    ask();
  });
}

// The grid of prices

/** An amount as it is typed into a cell: without ₹, separators and quotes. */
const plain = (text) => text.replace(/[₹,"\s]/g, "");

/** Whether two texts are the same amount. */
function same(one, other) {
  const [left, right] = [plain(one), plain(other)];
  return left === right || (left !== "" && right !== "" && Number(left) === Number(right));
}

/** Makes a table of inputs work like a spreadsheet. */
function grid(table) {
  const form = table.closest("form");
  const rows = all("tbody tr", table).map((row) => [...row.cells]).filter((cells) => cells.some((cell) => one("[data-was]", cell)));
  const input = (row, column) => rows[row]?.[column] && one("[data-was]", rows[row][column]);
  const inputs = all("[data-was]", table);
  const isChanged = (input) => !same(input.value, input.dataset.was);
  const changed = () => inputs.filter(isChanged).length;
  const said = one(".savebar")?.appendChild(element("span", { role: "status" }));
  // The cell where a selection began, and the one where it ends.
  let from, to, isSent = false;

  const place = (input) => {
    const cell = input.closest("td");
    return { row: rows.findIndex((cells) => cells.includes(cell)), column: cell.cellIndex };
  };
  const count = () => {
    for (const shown of all("[data-count]")) shown.textContent = `${changed()} changed`;
  };
  const mark = (input) => input.closest("td").classList.toggle("changed", isChanged(input));
  const write = (input, value) => {
    input.value = value;
    mark(input);
  };
  // The rows and columns of the selection, each from the first to the last.
  const range = () => ({
    top: Math.min(from.row, to.row), bottom: Math.max(from.row, to.row),
    left: Math.min(from.column, to.column), right: Math.max(from.column, to.column),
  });
  const each = ({ top, bottom, left, right }, act) => {
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) if (input(row, column)) act(input(row, column), row, column);
    }
  };
  const select = () => {
    for (const cell of all(".picked", table)) cell.classList.remove("picked");
    if (from.row !== to.row || from.column !== to.column) each(range(), (input) => input.closest("td").classList.add("picked"));
  };
  const move = (down, right, isSelecting) => {
    let { row, column } = to;
    do [row, column] = [row + down, column + right];
    while (rows[row]?.[column] && !input(row, column));
    const next = input(row, column);
    if (!next) return;
    const start = from;
    next.focus();
    if (isSelecting) from = start;
    select();
  };
  const fill = (down, right) => {
    const area = range();
    // A single cell takes from the one before it.
    if (down && area.top === area.bottom) area.top = Math.max(area.top - 1, 0);
    if (right && area.left === area.right) area.left = Math.max(area.left - 1, 0);
    each(area, (cell, row, column) => {
      const source = down ? input(area.top, column) : input(row, area.left);
      if (source) write(cell, source.value);
    });
    count();
  };

  table.addEventListener("focusin", ({ target }) => {
    if (!target.matches("[data-was]")) return;
    from = to = place(target);
    select();
    target.select();
  });
  table.addEventListener("input", ({ target }) => {
    mark(target);
    count();
  });
  table.addEventListener("keydown", (event) => {
    const { key, target, shiftKey } = event;
    if (!target.matches("[data-was]") || event.altKey) return;
    const [start, end, length] = [target.selectionStart, target.selectionEnd, target.value.length];
    const whole = start === 0 && end === length;
    if (event.ctrlKey || event.metaKey) {
      if (key === "d") fill(1, 0);
      else if (key === "r") fill(0, 1);
      else if (key === "Enter") form.requestSubmit();
      else return;
    } else if (key === "Enter") move(shiftKey ? -1 : 1, 0);
    else if (key === "ArrowDown") move(1, 0, shiftKey);
    else if (key === "ArrowUp") move(-1, 0, shiftKey);
    else if (key === "ArrowLeft" && (whole || end === 0)) move(0, -1, shiftKey);
    else if (key === "ArrowRight" && (whole || start === length)) move(0, 1, shiftKey);
    else if (key === "Escape") {
      write(target, target.dataset.was);
      count();
    } else return;
    event.preventDefault();
  });
  table.addEventListener("paste", (event) => {
    const block = event.clipboardData.getData("text").replace(/\r?\n$/, "").split(/\r?\n/).map((line) => line.split("\t"));
    const { top, left } = range();
    let misses = 0;
    if (!block[1] && !block[0][1]) each(range(), (cell) => write(cell, plain(block[0][0])));
    else block.forEach((line, down) => line.forEach((text, along) => {
      const cell = input(top + down, left + along);
      if (cell) write(cell, plain(text));
      else misses++;
    }));
    if (said) said.textContent = misses ? `${misses} pasted values had no cell` : "";
    count();
    event.preventDefault();
  });

  inputs.forEach(mark);
  count();
  form?.addEventListener("submit", () => (isSent = true));
  addEventListener("pageshow", () => (isSent = false));
  /** Only changed cells are sent, with all other inputs of their cells. */
  form?.addEventListener("formdata", ({ formData }) => {
    for (const input of inputs.filter((input) => !isChanged(input))) {
      for (const { name } of all("input", input.closest("td"))) formData.delete(name);
    }
  });
  addEventListener("beforeunload", (event) => {
    if (!isSent && changed()) event.preventDefault();
  });
}

all("table.price-grid").filter((table) => one("[data-was]", table)).forEach(grid);
