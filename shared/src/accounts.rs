//! Database rows of users, their Descope identities and their sessions.

mod erasure;
mod identities;
mod roles;
mod sessions;
mod users;
mod ways_in;

pub use erasure::{AccountOfPhone, erase, of_phone};
pub use identities::{
    Identity, LinkedIdentity, OtherIdentity, address_of, adopt, close_other_ways_in, identities, identity, identity_in,
    link, lock, other_identities, unlink,
};
pub(crate) use roles::learn_roles;
pub use roles::{
    RoleClaim, Taking, block, claim_roles, note_change_of_roles, note_roles, refuse_blocked, release_roles, unblock,
};
pub use sessions::{
    KnownUser, ListedSession, NewSession, RevokedSession, known_since, list_sessions, now, open_session,
    revoke_session, revoke_sessions, sessions_revoked_at,
};
pub(crate) use users::user_in;
pub use users::{
    ADMIN_ROLE, NewUser, ProfileChange, STAFF_ROLE, STAFF_ROLES, User, change_profile, create, hold, load, vouch_for,
};
pub use ways_in::{Changed, end_ways_in, has_another_way_in, has_ended, has_verified, tell_of_change};
