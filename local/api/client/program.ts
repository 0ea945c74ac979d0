// A client typed by the API document alone: books, makes an order, and moves the booking as staff.
//
//   node built/program.js http://localhost:8000 <staff key> <vehicle model id> <service id> <day> <start> <later start>
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Failure = components["schemas"]["ErrorBody"];
type Booking = components["schemas"]["Booking"];

const [url, staffKey, model, service, day, start, later] = process.argv.slice(2);
if (!url || !staffKey || !model || !service || !day || !start || !later) {
  throw new Error("seven arguments are needed");
}
const api = createClient<paths>({ baseUrl: url });

function worked<T>(answer: { data?: T | undefined; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

// Comparing `code` narrows the type of `details`.
function told(failure: Failure): string {
  switch (failure.code) {
    case "SLOT_FULL":
      return failure.details.available.map((free) => `${free.date} ${free.time}`).join(", ");
    case "ILLEGAL_TRANSITION":
      return failure.details.allowed.join(", ");
    case "VALIDATION_ERROR":
    case "CONFLICT":
      return Object.entries(failure.details).map(([field, sentences]) => `${field}: ${sentences.join(" ")}`).join(", ");
    default:
      return failure.message;
  }
}

const created = await api.POST("/api/bookings/", {
  params: { header: { "Idempotency-Key": `typed-${day}-${start}` } },
  body: {
    customer_name: "Typed Client", customer_phone: "9876500077", vehicle_model_id: Number(model),
    service_ids: [Number(service)], service_location: "shop", appointment_date: day, appointment_time: start,
    payment_method: "razorpay",
  },
});
const { access_token, ...booking } = worked(created).data;
const order = worked(await api.POST("/api/payments/razorpay/create-order/", { body: { booking_id: booking.id } })).data;

const staff = { headers: { "X-API-Key": staffKey } };
const moved: Booking = worked(
  await api.PATCH("/api/staff/bookings/{id}/", {
    ...staff,
    params: { path: { id: booking.id } },
    body: { appointment_time: later, notes: "Moved by a typed client", force: true },
  }),
).data;
const refused = await api.PATCH("/api/staff/bookings/{id}/update-status/", {
  ...staff,
  params: { path: { id: booking.id } },
  body: { status: "completed" },
});
const timeline = worked(
  await api.GET("/api/bookings/{id}/timeline/", {
    headers: { "X-Booking-Token": access_token },
    params: { path: { id: booking.id } },
  }),
).data;

console.log(JSON.stringify({
  amounts: [order.amount_paise, Math.round(Number(booking.total_amount) * 100)],
  moved_to: moved.appointment_time,
  notes: moved.notes,
  refused: refused.error && told(refused.error),
  events: timeline.map((entry) => entry.event),
}));
