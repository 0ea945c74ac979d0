// The bookings that were made on this device: their tokens, and no personal data.

const KEPT = "bookings";

export function kept() {
  return JSON.parse(localStorage.getItem(KEPT) ?? "[]");
}

export function remember({ id, access_token: token, reference, appointment_date: date }) {
  const others = kept().filter((booking) => booking.id !== id);
  localStorage.setItem(KEPT, JSON.stringify([{ id, token, reference, date }, ...others].slice(0, 20)));
}
