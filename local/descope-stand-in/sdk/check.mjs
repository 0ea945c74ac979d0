// Runs a user journey against the stand-in with Descope's Node SDK.
//
//     python3 local/tools.py test
//     node target/tools/descope-node/check.mjs http://localhost:8100

import { randomBytes, randomInt } from 'node:crypto';
import descope from '@descope/node-sdk';

const baseUrl = process.argv[2].replace(/\/$/, '');
const client = descope({
  projectId: 'P2localrepairmybike000000000',
  managementKey: 'local-management-key',
  baseUrl,
});
const users = client.management.user;

// Random names, and users that are deleted at the end, keep runs independent of each other.
const run = randomBytes(4).toString('hex');
const email = `asha-${run}@example.com`;
const managed = `ravi-${run}@example.com`;
const phone = `+91${randomInt(1e10).toString().padStart(10, '0')}`;

function expect(step, holds, answer) {
  console.log(`${(holds ? 'ok' : 'SURPRISE').padEnd(9)}${step}`);
  if (!holds) {
    console.log(JSON.stringify(answer));
    process.exit(1);
  }
}

/** Expects that the call succeeds, and returns its answer. */
async function good(step, call, holds = () => true) {
  const answer = await call;
  expect(step, answer.ok && holds(answer.data), answer);
  return answer.data;
}

/** Expects that the call is refused with this code. */
async function refused(step, code, call) {
  const answer = await call;
  expect(`${step} (${code})`, !answer.ok && answer.error?.errorCode === code, answer);
}

/** The newest message in the inbox of this address. */
async function newest(to) {
  const inbox = await fetch(`${baseUrl}/_inbox?to=${encodeURIComponent(to)}`);
  return (await inbox.json())[0];
}

// Passwords.
await good('password.policy', client.password.policy(), (policy) => policy.minLength === 8);
await good(
  'password.signUp',
  client.password.signUp(email, 'first password', { email, name: 'Asha' }),
  (session) => session.firstSeen && !session.user.verifiedEmail,
);
await refused('password.signUp twice', 'E062107', client.password.signUp(email, 'first password', { email }));
await refused('password.signIn with a wrong one', 'E062903', client.password.signIn(email, 'wrong password'));
await good('password.signIn', client.password.signIn(email, 'first password'), (session) => session.sessionJwt);
await refused('password.sendReset to an address not verified', 'E062115', client.password.sendReset(email));
await good('management.user.updateEmail', users.updateEmail(email, email, true), (user) => user.verifiedEmail);
await good('password.sendReset', client.password.sendReset(email, 'http://localhost:3000/reset-password'));
const reset = await newest(email);
expect('the mail with the link', reset.link === `http://localhost:3000/reset-password?t=${reset.token}`, reset);
const redeemed = await good('magicLink.verify of the reset link', client.magicLink.verify(reset.token));
await refused('magicLink.verify twice', 'E062504', client.magicLink.verify(reset.token));
await good('password.update', client.password.update(email, 'second password', redeemed.refreshJwt));
await good('password.replace', client.password.replace(email, 'second password', 'third password'));

// One-time codes.
for (const [method, address] of [['sms', phone], ['email', `new-${email}`]]) {
  await good(`otp.signUpOrIn.${method}`, client.otp.signUpOrIn[method](address));
  const { code } = await newest(address);
  const wrong = ((Number(code) + 1) % 1e6).toString().padStart(6, '0');
  await refused(`otp.verify.${method} of a wrong one`, 'E061102', client.otp.verify[method](address, wrong));
  await good(
    `otp.verify.${method}`,
    client.otp.verify[method](address, code),
    (session) => session.firstSeen && session.user.status === 'enabled',
  );
  await refused(`otp.verify.${method} twice`, 'E061102', client.otp.verify[method](address, code));
}

// Magic links.
await good('magicLink.signUpOrIn.email', client.magicLink.signUpOrIn.email(email, 'http://localhost:3000/in'));
const session = await good('magicLink.verify', client.magicLink.verify((await newest(email)).token));

// Sessions.
const validated = await client.validateSession(session.sessionJwt);
expect('validateSession', validated.token.sub === session.user.userId, validated);
const refreshed = await client.refreshSession(session.refreshJwt);
expect('refreshSession', refreshed.jwt !== session.sessionJwt && refreshed.token.drn === 'DS', refreshed);
// Only rotation issues a new refresh token.
const refreshJwt = refreshed.refreshJwt || session.refreshJwt;
await good('me', client.me(refreshJwt), (user) => user.email === email);
await good('logout', client.logout(refreshJwt));
await refused('refresh after logout', 'E064001', client.refresh(refreshJwt));
await refused('me after logout', 'E064001', client.me(refreshJwt));
const other = await good('password.signIn again', client.password.signIn(email, 'third password'));
await good('logoutAll', client.logoutAll(other.refreshJwt));
await refused('refresh after logoutAll', 'E064001', client.refresh(other.refreshJwt));

// Management.
const created = await good(
  'management.user.create',
  users.create(managed, { displayName: 'Ravi', roles: ['staff'] }),
  (user) => user.status === 'invited' && user.verifiedEmail && user.roleNames[0] === 'staff',
);
await good('management.user.load', users.load(managed), (user) => user.userId === created.userId);
await good('management.user.loadByUserId', users.loadByUserId(created.userId), (user) => user.name === 'Ravi');
await good('management.user.search', users.search({ loginIds: [managed] }), (found) => found.total === 1);
await good(
  'management.user.patch',
  users.patch(managed, { phone, givenName: 'R' }),
  (user) => user.name === 'Ravi' && user.phone === phone && user.verifiedPhone,
);
await good('management.user.setRoles', users.setRoles(managed, ['admin']), (user) => user.roleNames[0] === 'admin');
await good('management.user.setActivePassword', users.setActivePassword(managed, 'active password'));
const active = await good('password.signIn with it', client.password.signIn(managed, 'active password'));
expect('validateRoles', client.validateRoles(await client.validateJwt(active.sessionJwt), ['admin']), active);
await good('management.user.logoutUser', users.logoutUser(managed));
await refused('refresh after logoutUser', 'E064001', client.refresh(active.refreshJwt));
await good('management.user.delete', users.delete(managed));
await refused('management.user.load after delete', 'E112102', users.load(managed));
await refused('management.user.delete twice', 'E112102', users.delete(managed));

for (const loginId of [email, phone, `new-${email}`]) {
  await good(`management.user.delete ${loginId}`, users.delete(loginId));
}
