//! What an error of Postgres says about the link to it.

/// The part of the link to Postgres that an error shows to be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The one connection: a retry over a new one may succeed.
    Connection,
    /// User or password, which were refused: they may have changed.
    Login,
    /// The pool, which timed out: it may be waiting for a connection that never answers.
    Pool,
}

impl Lost {
    pub(crate) fn of(error: &sqlx::Error) -> Option<Self> {
        match error {
            sqlx::Error::PoolTimedOut => Some(Self::Pool),
            error if is_lost(error) => Some(Self::Connection),
            error if is_refused(error) => Some(Self::Login),
            _ => None,
        }
    }
}

/// Whether Postgres is unreachable or overloaded, so that the same request may succeed later.
pub(crate) fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        // Classes of SQLSTATE: connection, read-only server, idle-in-transaction timeout, authorisation, unknown
        // database, rollback (deadlock), resources, lock not available, cancellation or shutdown.
        sqlx::Error::Database(source) => source.code().is_some_and(|code| {
            ["08", "25006", "25P03", "28", "3D", "40", "53", "55", "57"].iter().any(|class| code.starts_with(class))
        }),
        _ => false,
    }
}

/// Whether the connection is gone or leads to a server that takes no writes, so that a retry over a new one may
/// succeed.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) => true,
        // admin_shutdown; crash_shutdown; idle_session_timeout.
        sqlx::Error::Database(source) => {
            let is_ended = |code: std::borrow::Cow<'_, str>| ["57P01", "57P02", "57P05"].contains(&code.as_ref());
            source.code().is_some_and(is_ended) || is_read_only(error)
        }
        _ => false,
    }
}

/// Whether a server answered that takes no writes: after a failover the old primary may go on as a replica, while the
/// address resolves to the new one.
pub(super) fn is_read_only(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.as_deref() == Some("25006")
}

/// Whether Postgres refused our user or password.
pub(super) fn is_refused(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // invalid_password; invalid_authorization_specification.
    code.is_some_and(|code| ["28P01", "28000"].contains(&code.as_ref()))
}
