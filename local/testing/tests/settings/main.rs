//! Settings that stand in AWS Secrets Manager: read, read again, and rotated while requests are served. Secrets Manager
//! is moto's; Postgres and Redis are real ones that want passwords.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "test code")]

mod keys;
mod postgres;
mod reading;
mod redis;
mod servers;
