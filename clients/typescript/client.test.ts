// The client against a running system: API=<url> INBOX=<url of Descope's stand-in> STAFF_KEY=… DAY=… node --test client.test.js

import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { test } from "node:test";
import { ApiError, RepairMyBike, answered, type Failure, type Options, type Tokens } from "./client.js";

// Node 18 has it, but not as a global.
globalThis.crypto ??= webcrypto as Crypto;

const { API, INBOX, STAFF_KEY, DAY } = process.env as Record<string, string>;
if (!API || !INBOX || !STAFF_KEY || !DAY) throw new Error("API, INBOX, STAFF_KEY and DAY are needed");
const staff = { headers: { "X-API-Key": STAFF_KEY } };

// New ones in each run, because bookings are counted by number.
const run = String(Math.floor(Math.random() * 10_000)).padStart(4, "0");
const phone = (last: number) => `98766${run}${last}`;

function client(options: Partial<Options> = {}): RepairMyBike {
  return new RepairMyBike({ baseUrl: API as string, waits: [10, 20], ...options });
}

/** Calls the network, and counts the calls of each path. */
function counting() {
  const calls = new Map<string, number>();
  const counted: typeof fetch = (input, init) => {
    const path = new URL((input as Request).url).pathname;
    calls.set(path, (calls.get(path) ?? 0) + 1);
    return fetch(input, init);
  };
  return { calls, fetch: counted };
}

/** Sends requests, and loses the first answers to those that write: the network, or a gateway, fails after the API's work. */
function losing(answers: number, instead?: Response) {
  const keys: (string | null)[] = [];
  const lossy: typeof fetch = async (input, init) => {
    const request = input as Request;
    const answer = await fetch(request, init);
    if (request.method !== "POST") return answer;
    keys.push(request.headers.get("Idempotency-Key"));
    if (keys.length > answers) return answer;
    if (instead) return instead.clone();
    throw new TypeError("the network is gone");
  };
  return { keys, fetch: lossy };
}

async function failureOf(call: Promise<unknown>): Promise<Failure> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof ApiError, String(error));
    return error.failure;
  }
  throw new Error("the call did not fail");
}

/** The phone number, the scooter's cheapest service and the next free time of a booking of its own. */
async function wanted(phone: string) {
  const { api } = client();
  const { data: prices } = await answered(
    api.GET("/api/service-pricing/by-vehicle/", { params: { query: { vehicle_model_id: 7 } } }));
  const service = prices[0]?.service_id as number;
  const { data: slots } = await answered(api.GET("/api/slots/", {
    params: { query: { date: DAY as string, service_location: "shop", vehicle_model_id: 7, service_ids: String(service) } },
  }));
  const free = slots.filter((slot) => slot.available > 0).map((slot) => slot.time);
  const time = free[0] as string;
  const body = {
    customer_name: "Typed Client", customer_phone: phone, vehicle_model_id: 7, service_ids: [service],
    service_location: "shop" as const, appointment_date: DAY as string, appointment_time: time,
  };
  return { body, later: free.at(-1) as string };
}

async function bookingsOf(phone: string): Promise<number> {
  const { data } = await answered(client().api.GET("/api/bookings/", { params: { query: { phone } } }));
  return data.length;
}

async function signIn(options: Partial<Options> = {}): Promise<RepairMyBike> {
  const phone = `+9198766${String(Math.floor(Math.random() * 100_000)).padStart(5, "0")}`;
  const shop = client(options);
  await answered(shop.api.POST("/api/auth/phone/request-otp/", { body: { phone_number: phone } }));
  const inbox = await fetch(`${INBOX}/_inbox?to=${encodeURIComponent(phone)}`);
  const [{ code }] = (await inbox.json()) as [{ code: string }];
  await answered(shop.api.POST("/api/auth/phone/verify-otp/", { body: { phone_number: phone, otp_code: code } }));
  return shop;
}

const spoiled = (tokens: Tokens): Tokens => ({ ...tokens, session_token: `${tokens.session_token.slice(0, -8)}AAAAAAAA` });

test("a booking is made, paid for and moved by staff, with the document's types", async () => {
  const { api } = client();
  const { body, later } = await wanted(phone(1));
  const { data: booking } = await answered(api.POST("/api/bookings/", { body: { ...body, payment_method: "razorpay" } }));
  const { data: order } = await answered(
    api.POST("/api/payments/razorpay/create-order/", { body: { booking_id: booking.id } }));
  assert.equal(order.amount_paise, Math.round(Number(booking.total_amount) * 100));

  const path = { id: booking.id };
  const { data: moved } = await answered(api.PATCH("/api/staff/bookings/{id}/", {
    ...staff, params: { path }, body: { appointment_time: later, notes: "Moved by a typed client", force: true },
  }));
  assert.deepEqual([moved.appointment_time, moved.notes], [later, "Moved by a typed client"]);
  const { data: timeline } = await answered(api.GET("/api/bookings/{id}/timeline/", {
    headers: { "X-Booking-Token": booking.access_token }, params: { path },
  }));
  assert.deepEqual(timeline.map((entry) => entry.event), ["created", "rescheduled", "notes_changed"]);
});

test("a failure is told by its code, which narrows its details", async () => {
  const { api } = client();
  const { body } = await wanted(phone(2));
  const faulty = await failureOf(answered(api.POST("/api/bookings/", { body: { ...body, customer_phone: "12" } })));
  assert.ok(faulty.code === "VALIDATION_ERROR");
  assert.deepEqual(Object.keys(faulty.details), ["customer_phone"]);

  const { data: booking } = await answered(api.POST("/api/bookings/", { body }));
  const refused = await failureOf(answered(api.PATCH("/api/staff/bookings/{id}/update-status/", {
    ...staff, params: { path: { id: booking.id } }, body: { status: "completed" },
  })));
  assert.ok(refused.code === "ILLEGAL_TRANSITION");
  assert.deepEqual(refused.details.allowed, ["confirmed", "cancelled"]);
});

test("without a network a failure is UNREACHABLE", async () => {
  const { api } = client({ baseUrl: "http://127.0.0.1:9", waits: [] });
  assert.equal((await failureOf(answered(api.GET("/api/shop-info/")))).code, "UNREACHABLE");
  const { api: silent } = client({ waits: [], timeout: 1 });
  assert.equal((await failureOf(answered(silent.GET("/api/shop-info/")))).code, "UNREACHABLE");
});

test("a booking whose answer is lost is sent again with its key and made once", async () => {
  const { body } = await wanted(phone(3));
  const network = losing(1);
  const { data: booking } = await answered(client({ fetch: network.fetch }).api.POST("/api/bookings/", { body }));
  assert.ok(booking.access_token);
  assert.deepEqual([network.keys.length, new Set(network.keys).size], [2, 1]);
  assert.equal(await bookingsOf(phone(3)), 1);
});

test("a booking that was given up and is sent again by hand is made once", async () => {
  const { body } = await wanted(phone(4));
  const network = losing(3);
  const { api } = client({ fetch: network.fetch });
  assert.equal((await failureOf(answered(api.POST("/api/bookings/", { body })))).code, "UNREACHABLE");
  await answered(api.POST("/api/bookings/", { body }));
  assert.deepEqual([network.keys.length, new Set(network.keys).size], [4, 1]);
  assert.equal(await bookingsOf(phone(4)), 1);
});

test("a booking that a gateway answers for is sent again with its key, by itself and by hand", async () => {
  const { body } = await wanted(phone(6));
  const network = losing(3, new Response("Service Unavailable", { status: 503 }));
  const { api } = client({ fetch: network.fetch });
  assert.equal((await failureOf(answered(api.POST("/api/bookings/", { body })))).code, "UNREACHABLE");
  await answered(api.POST("/api/bookings/", { body }));
  assert.deepEqual([network.keys.length, new Set(network.keys).size], [4, 1]);
  assert.equal(await bookingsOf(phone(6)), 1);
});

test("the key of a booking that was throttled or is still made is kept", async () => {
  const { body } = await wanted(phone(7));
  for (const [status, code] of [[429, "THROTTLED"], [409, "IDEMPOTENCY_IN_PROGRESS"]] as const) {
    const network = losing(3, new Response(JSON.stringify({ code, message: "Later", details: {} }), { status }));
    const { api } = client({ fetch: network.fetch, waits: [] });
    for (let count = 0; count < 3; count += 1) {
      assert.equal((await failureOf(answered(api.POST("/api/bookings/", { body })))).code, code);
    }
    assert.deepEqual([network.keys.length, new Set(network.keys).size], [3, 1]);
  }
});

test("a key that is kept outlives the page", async () => {
  const { body } = await wanted(phone(8));
  const kept = new Map<string, string>();
  const keys = {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  };
  const network = losing(1);
  const page = () => client({ fetch: network.fetch, keys, waits: [] }).api.POST("/api/bookings/", { body });
  assert.equal((await failureOf(answered(page()))).code, "UNREACHABLE");
  await answered(page());
  assert.deepEqual([network.keys.length, new Set(network.keys).size, kept.size], [2, 1, 0]);
  assert.equal(await bookingsOf(phone(8)), 1);
});

test("a second booking like the first has a key of its own", async () => {
  const { body } = await wanted(phone(5));
  const network = losing(0);
  const { api } = client({ fetch: network.fetch });
  // Also where one place is left.
  const forced = { ...body, force: true };
  for (let count = 0; count < 2; count += 1) await answered(api.POST("/api/bookings/", { body: forced, ...staff }));
  assert.equal(new Set(network.keys).size, 2);
  assert.equal(await bookingsOf(phone(5)), 2);
});

test("parallel calls with an outdated token refresh it once and then succeed", async () => {
  const kept: (Tokens | null)[] = [];
  const first = await signIn();
  const network = counting();
  const shop = client({ ...network, tokens: spoiled(first.tokens as Tokens), onTokens: (tokens) => void kept.push(tokens) });
  const profiles = await Promise.all(Array.from({ length: 8 }, () => answered(shop.api.GET("/api/auth/profile/"))));
  assert.equal(new Set(profiles.map((profile) => profile.id)).size, 1);
  assert.equal(network.calls.get("/api/auth/token/refresh/"), 1);
  assert.deepEqual(kept, [shop.tokens]);
});

test("a session that was revoked elsewhere ends here, without a refresh", async () => {
  const kept: (Tokens | null)[] = [];
  const network = counting();
  const shop = await signIn({ ...network, onTokens: (tokens) => void kept.push(tokens) });
  const { sessions } = await answered(shop.api.GET("/api/auth/sessions/"));
  const own = sessions.find((session) => session.is_current)?.id as number;
  await answered(shop.api.POST("/api/auth/sessions/{id}/revoke/", { params: { path: { id: own } } }));
  assert.equal((await failureOf(answered(shop.api.GET("/api/auth/profile/")))).code, "SESSION_REVOKED");
  assert.deepEqual([kept.length, shop.tokens, network.calls.get("/api/auth/token/refresh/")], [2, null, undefined]);
});

test("a refresh that is refused ends the session", async () => {
  const shop = client({ tokens: { session_token: "none", refresh_token: "none" } });
  assert.equal((await failureOf(answered(shop.api.GET("/api/auth/profile/")))).code, "TOKEN_INVALID");
  assert.equal(shop.tokens, null);
});

test("signing out drops the tokens", async () => {
  const shop = await signIn();
  assert.ok(shop.tokens);
  await answered(shop.api.POST("/api/auth/logout/", { body: {} }));
  assert.equal(shop.tokens, null);
});
