//! Settings in AWS Secrets Manager: read, re-read, and rotated while requests are served. Secrets Manager is moto's;
//! Postgres and Redis are real and require passwords.
#![expect(clippy::unwrap_used, reason = "test code")]

mod keys;
mod postgres;
mod reading;
mod redis;
mod servers;
mod signature;
mod tls;
