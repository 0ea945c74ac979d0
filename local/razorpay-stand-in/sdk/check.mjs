// Runs payments from order to refund against the stand-in with Razorpay's official Node SDK.
//
//     python3 local/tools.py test
//     node target/tools/razorpay-node/check.mjs http://localhost:8200

import { randomBytes } from 'node:crypto';
import Razorpay from 'razorpay';
import utils from 'razorpay/dist/utils/razorpay-utils.js';

const KEY_SECRET = 'local-key-secret';
const WEBHOOK_SECRET = 'local-webhook-secret';

const baseUrl = process.argv[2].replace(/\/$/, '');

/** The SDK has no option for the host, but its HTTP client is public and its base URL can be changed. */
function clientWith(keySecret) {
  const client = new Razorpay({ key_id: 'rzp_test_local00000000', key_secret: keySecret });
  client.api.rq.defaults.baseURL = baseUrl;
  return client;
}

const client = clientWith(KEY_SECRET);
const { orders, payments, refunds } = client;

// Receipts differ in each run, so that orders of an earlier one are not found.
const run = randomBytes(4).toString('hex');

function expect(step, holds, answer) {
  console.log(`${(holds ? 'ok' : 'SURPRISE').padEnd(9)}${step}`);
  if (!holds) {
    console.log(JSON.stringify(answer));
    process.exit(1);
  }
}

/** Expects that the call is refused with this status and text. */
async function refused(step, status, description, call) {
  try {
    expect(`${step}: not refused`, false, await call);
  } catch (error) {
    const said = error.error?.description ?? error;
    expect(`${step} (${said})`, error.statusCode === status && `${said}`.includes(description), error);
  }
}

/** Calls a hook of the stand-in; the SDKs have none. */
async function hook(path, body) {
  const options = body && { method: 'POST', body: JSON.stringify(body) };
  return (await fetch(baseUrl + path, options)).json();
}

function newOrder(receipt, more = {}) {
  return orders.create({ amount: 50000, currency: 'INR', receipt: `${run}-${receipt}`, ...more });
}

function checkout(order, outcome) {
  return hook('/_checkout', { order_id: order.id, outcome });
}

function isSigned(paid, orderId) {
  const ids = { order_id: orderId, payment_id: paid.razorpay_payment_id };
  return utils.validatePaymentVerification(ids, paid.razorpay_signature, KEY_SECRET);
}

// Orders.
let order = await newOrder('1');
expect('orders.create', order.status === 'created' && Array.isArray(order.notes), order);
expect('orders.fetch', (await orders.fetch(order.id)).id === order.id);
const found = await orders.all({ receipt: `${run}-1`, 'expand[]': ['payments'] });
expect('orders.all by receipt', found.count === 1 && found.items[0].payments.count === 0, found);
const edited = await orders.edit(order.id, { notes: { bike: 'Hero Splendor' } });
expect('orders.edit', edited.notes.bike === 'Hero Splendor', edited);
await refused('orders.create of too little', 400, 'less than minimum', orders.create({ amount: 99 }));
const unknown = orders.fetch('order_00000000000000');
await refused('orders.fetch of an unknown one', 400, 'The id provided does not exist', unknown);
await refused('orders.all with a wrong secret', 401, 'Authentication failed', clientWith('wrong').orders.all());

// Automatic capture.
const failed = await checkout(order, 'failed');
expect('a failed payment', failed.razorpay_signature === null, failed);
expect('payments.fetch of it', (await payments.fetch(failed.razorpay_payment_id)).status === 'failed');
const paid = await checkout(order, 'captured');
expect('validatePaymentVerification', isSigned(paid, order.id), paid);
expect('validatePaymentVerification of a wrong one', !isSigned(paid, 'order_00000000000000'), paid);
const payment = await payments.fetch(paid.razorpay_payment_id);
expect('payments.fetch', payment.status === 'captured' && payment.order_id === order.id, payment);
expect('orders.fetchPayments', (await orders.fetchPayments(order.id)).count === 2);
expect('orders.fetch of the paid one', (await orders.fetch(order.id)).status === 'paid');
const listed = await payments.all({ count: 100, from: '2020-01-01' });
expect('payments.all', listed.items.some(({ id }) => id === payment.id), listed);

// Manual capture.
order = await newOrder('2', { payment: { capture: 'manual' } });
const { razorpay_payment_id: waiting } = await checkout(order, 'authorized');
expect('an authorized payment', (await payments.fetch(waiting)).status === 'authorized');
await refused('payments.capture of too little', 400, 'must be equal', payments.capture(waiting, 100, 'INR'));
const captured = await payments.capture(waiting, 50000, 'INR');
expect('payments.capture', captured.status === 'captured' && captured.captured, captured);
await refused('payments.capture twice', 400, 'already been captured', payments.capture(waiting, 50000, 'INR'));

// Refunds.
const part = await payments.refund(waiting, { amount: 20000, notes: { why: 'late' }, receipt: run });
expect('payments.refund of a part', part.status === 'processed' && part.amount === 20000, part);
const tooMuch = payments.refund(waiting, { amount: 30001 });
await refused('payments.refund of too much', 400, 'greater than amount captured', tooMuch);
const rest = await payments.refund(waiting);
expect('payments.refund of the rest', rest.amount === 30000 && rest.receipt === null, rest);
await refused('payments.refund of nothing', 400, 'fully refunded already', payments.refund(waiting));
expect('refunds.fetch', (await refunds.fetch(part.id)).receipt === run);
expect('refunds.fetch of a payment', (await refunds.fetch(rest.id, { payment_id: waiting })).id === rest.id);
expect('refunds.all of a payment', (await refunds.all({ payment_id: waiting })).count === 2);
expect('payments.fetchMultipleRefund', (await payments.fetchMultipleRefund(waiting)).items[0].id === rest.id);
expect('refunds.edit', (await refunds.edit(part.id, { notes: { why: 'sorry' } })).notes.why === 'sorry');
expect('payments.fetch of the refunded one', (await payments.fetch(waiting)).refund_status === 'full');

// Webhooks.
for (const { event, body, headers } of (await hook('/_webhooks')).slice(-3)) {
  const { 'X-Razorpay-Signature': signature } = Object.fromEntries(headers);
  const isValid = Razorpay.validateWebhookSignature(body, signature, WEBHOOK_SECRET);
  expect(`validateWebhookSignature of ${event}`, isValid, body);
  const isChangedValid = Razorpay.validateWebhookSignature(`${body}\n`, signature, WEBHOOK_SECRET);
  expect('validateWebhookSignature of a changed one', !isChangedValid, body);
}

// Faults.
const description = 'Request failed. Please try after sometime.';
const body = { error: { code: 'BAD_REQUEST_ERROR', description } };
await hook('/_faults', { path: '/v1/orders', status: 429, body });
await refused('orders.all too often', 429, 'Please try after sometime', orders.all());
