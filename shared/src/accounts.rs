//! Database rows of users, their Descope identities and their sessions.

mod identities;
mod sessions;
mod users;

pub use identities::{
    Identity, OtherIdentity, adopt, close_other_ways_in, give_up_other_numbers, identity, identity_in, link, lock,
    other_identities, unlink,
};
pub use sessions::{
    KnownUser, ListedSession, NewSession, known_since, list_sessions, now, open_session, revoke_session,
    revoke_sessions,
};
pub(crate) use users::user_in;
pub use users::{
    ADMIN_ROLE, NewUser, ProfileChange, STAFF_ROLE, STAFF_ROLES, User, change_profile, create, hold, load,
    note_change_of_roles,
};
