// The choice of a day and a free time, for a new booking and for one that is moved.

import * as api from "./api.js";
import { choices, clock, days, longDay, make, notice, shortDay } from "./page.js";

const SHOWN = 14;

/** Draws the choice into `place`; calls `onChoose` with date and time, or with neither when the day changes. */
export function chooseTime(place, { shop, job, date, time, onChoose }) {
  const open = days(shop, SHOWN).filter((day) => day.isOpen);
  const options = open.map(({ date: value }) => {
    const { weekday, day } = shortDay(value);
    return { value, label: make("span", { class: "day", "aria-label": longDay(value) }, make("small", {}, weekday), day) };
  });
  const times = make("div", { class: "times", "aria-live": "polite" });
  let asked = 0;

  async function showTimes(chosen, wanted) {
    const turn = (asked += 1);
    times.replaceChildren(make("p", { class: "soft" }, "Looking for free times…"));
    let content;
    try {
      const starts = await api.slots({ date: chosen, ...job });
      content = starts.some((start) => start.available > 0)
        ? choices("time", starts.map((start) => ({
          value: start.time, label: clock(start.time), disabled: start.available === 0,
        })), { value: wanted, onChoose: (option) => onChoose({ date: chosen, time: option.value }) })
        : make("p", { class: "soft" }, `Nothing is free on ${longDay(chosen)}. Please choose another day.`);
    } catch (failure) {
      content = notice("problem", failure.message, make("button", { type: "button", onclick: () => showTimes(chosen, wanted) }, "Try again"));
    }
    // Another day was chosen meanwhile.
    if (turn === asked) times.replaceChildren(content);
  }

  const row = choices("date", options, { value: date, onChoose: (option) => {
    onChoose({ date: option.value, time: null });
    showTimes(option.value);
  } });
  row.classList.add("days");
  place.replaceChildren(row, times);
  row.querySelector(":checked")?.closest("label").scrollIntoView({ block: "nearest", inline: "center" });
  if (date) showTimes(date, time);
}
