// The API: reads that are tried again, keys that make a booking safe to repeat, and failures by `code`.

const BASE = document.querySelector("meta[name=api]").content;
// Before each further try; together about a quarter of a minute.
const WAITS = [400, 1_000, 2_000, 4_000, 8_000];
const PASSING = [502, 503, 504];
const KEPT = "unanswered";

/** Why a call failed. Without an answer of the API its code is `UNREACHABLE`. */
export class Failure extends Error {
  constructor({ code = "UNREACHABLE", message, details = {} }) {
    super(message ?? "The shop cannot be reached at the moment.");
    Object.assign(this, { code, details });
  }
}

const pause = (milliseconds) => new Promise((done) => {
  setTimeout(done, milliseconds);
  addEventListener("online", done, { once: true });
});

async function once(method, path, { body, headers }) {
  const answer = await fetch(BASE + path, {
    method,
    headers: { ...(body && { "Content-Type": "application/json" }), ...headers },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  const content = await answer.json().catch(() => ({}));
  if (answer.ok) return content;
  const failure = new Failure(content);
  failure.passes = PASSING.includes(answer.status) || failure.code === "IDEMPOTENCY_IN_PROGRESS";
  throw failure;
}

async function call(method, path, { safe = method === "GET", onWait, ...request } = {}) {
  for (const wait of [...(safe ? WAITS : []), null]) {
    try {
      return await once(method, path, request);
    } catch (error) {
      const failure = error instanceof Failure ? error : Object.assign(new Failure({}), { passes: true });
      if (!failure.passes || wait === null) throw failure;
      onWait?.(failure);
      await pause(wait);
    }
  }
}

const data = async (answer) => (await answer).data;
const query = (values) => `?${new URLSearchParams(values)}`;
const owner = (token) => ({ "X-Booking-Token": token });

export const shop = async () => (await data(call("GET", "/api/shop-info/")))[0];
export const types = () => data(call("GET", "/api/vehicle-types/"));
export const brands = (type) => data(call("GET", `/api/vehicle-brands/${query({ vehicle_type: type })}`));
export const models = (brand) => data(call("GET", `/api/vehicle-models/${query({ vehicle_brand: brand })}`));
export const prices = (model) => data(call("GET", `/api/service-pricing/by-vehicle/${query({ vehicle_model_id: model })}`));

/** The starts of a day, with what is free for a job of these services. */
export const slots = ({ date, place, model, services }) => data(call("GET", `/api/slots/${query({
  date, service_location: place, vehicle_model_id: model, service_ids: services.join(","),
})}`));

/** An order that was sent and not answered: the page was closed, or the network was gone. */
export function unanswered() {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
}

/** Books once, however often it is called: until an answer decides, the same order is sent with the same key. */
export async function book(order, { session, onWait } = {}) {
  const before = unanswered();
  const isSame = JSON.stringify(before?.order) === JSON.stringify(order);
  const key = isSame ? before.key : crypto.randomUUID();
  sessionStorage.setItem(KEPT, JSON.stringify({ key, order }));
  const headers = { "Idempotency-Key": key, ...(session && { Authorization: `Bearer ${session}` }) };
  try {
    const booking = await data(call("POST", "/api/bookings/", { body: order, headers, safe: true, onWait }));
    sessionStorage.removeItem(KEPT);
    return booking;
  } catch (failure) {
    // It is open whether a booking was made only where no answer of the API arrived.
    if (!failure.passes && failure.code !== "THROTTLED") sessionStorage.removeItem(KEPT);
    throw failure;
  }
}

export const booking = (id, token) => data(call("GET", `/api/bookings/${id}/`, { headers: owner(token) }));
export const timeline = (id, token) => data(call("GET", `/api/bookings/${id}/timeline/`, { headers: owner(token) }));
// Both do their work once: what holds already is answered as done.
export const move = (id, token, date, time) => data(call("PATCH", `/api/bookings/${id}/`, {
  body: { appointment_date: date, appointment_time: time }, headers: owner(token), safe: true,
}));
export const cancel = (id, token) => data(call("POST", `/api/bookings/${id}/cancel/`, {
  body: {}, headers: owner(token), safe: true,
}));

// While it is unpaid, the same order is answered again.
export const order = (id) => data(call("POST", "/api/payments/razorpay/create-order/", { body: { booking_id: id }, safe: true }));
export const verify = (paid) => data(call("POST", "/api/payments/razorpay/verify/", { body: paid, safe: true }));

export const requestCode = (phone) => call("POST", "/api/auth/phone/request-otp/", { body: { phone_number: phone } });
/** Signs in with a code; returns the session's token, which proves the number. */
export const proveNumber = async (phone, code) => {
  const proof = { phone_number: phone, otp_code: code };
  return (await call("POST", "/api/auth/phone/verify-otp/", { body: proof })).session_token;
};
