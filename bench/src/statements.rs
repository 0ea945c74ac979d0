//! A reader of Postgres' wire protocol: the statements that a function ran, with their values.

use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};

use crate::Result;

/// A statement that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its text, with `$1` and so on.
    pub sql: String,
    /// The values of its parameters in Postgres' text format; `None` for null.
    pub values: Vec<Option<String>>,
}

struct Prepared {
    name: Vec<u8>,
    sql: String,
    types: Vec<u32>,
}

/// Reads all statements that were run, in order, from what a client has sent over one connection without TLS.
pub fn read(sent: &[u8]) -> Result<Vec<Statement>> {
    let mut bytes = Bytes(sent);
    // The startup message has no type. It comes first, because without TLS there is no request for it.
    let length = bytes.integer::<4>()?;
    bytes.take(length - 4)?;
    let mut prepared: Vec<Prepared> = Vec::new();
    let mut run = Vec::new();
    while let Ok([kind]) = bytes.array::<1>() {
        let length = bytes.integer::<4>()?;
        let mut message = Bytes(bytes.take(length - 4)?);
        match kind {
            b'Q' => run.push(Statement { sql: text(message.until_zero()?)?, values: Vec::new() }),
            b'P' => {
                let name = message.until_zero()?.to_vec();
                let sql = text(message.until_zero()?)?;
                let types = (0..message.integer::<2>()?).map(|_| message.array().map(u32::from_be_bytes));
                let types = types.collect::<Result<_>>()?;
                // A reused name, above all the empty one, means the newest statement.
                prepared.push(Prepared { name, sql, types });
            }
            b'B' => {
                message.until_zero()?;
                let name = message.until_zero()?;
                let statement = prepared.iter().rfind(|statement| statement.name == name);
                run.push(bound(statement.ok_or("a statement was bound that had not been prepared")?, message)?);
            }
            _ => {}
        }
    }
    Ok(run)
}

fn bound(statement: &Prepared, mut message: Bytes<'_>) -> Result<Statement> {
    let formats = message.integer::<2>()?;
    for _ in 0..formats {
        if message.integer::<2>()? != 1 {
            return Err("a value was not sent in binary form".into());
        }
    }
    let mut values = Vec::new();
    for place in 0..message.integer::<2>()? {
        let length = message.array().map(i32::from_be_bytes)?;
        values.push(match usize::try_from(length) {
            Ok(length) => Some(value(statement.types.get(place).copied().unwrap_or_default(), message.take(length)?)?),
            Err(_) => None,
        });
    }
    Ok(Statement { sql: statement.sql.clone(), values })
}

/// A value in Postgres' text format, by the id of its type in `pg_type`.
fn value(kind: u32, bytes: &[u8]) -> Result<String> {
    let mut from = Bytes(bytes);
    Ok(match kind {
        16 => (bytes == [1]).to_string(),
        17 => bytes.iter().fold("\\x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
        20 => i64::from_be_bytes(from.array()?).to_string(),
        21 => i16::from_be_bytes(from.array()?).to_string(),
        23 => i32::from_be_bytes(from.array()?).to_string(),
        26 => u32::from_be_bytes(from.array()?).to_string(),
        1082 => {
            let days = i32::from_be_bytes(from.array()?);
            let start = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap_or_default();
            start.checked_add_days(Days::new(u64::try_from(days)?)).ok_or("no such day")?.to_string()
        }
        1083 => (NaiveTime::MIN + TimeDelta::microseconds(i64::from_be_bytes(from.array()?))).to_string(),
        // Arrays are recognized by their first byte: no text and no label begins with a zero.
        _ if bytes.starts_with(&[0]) => array(from)?,
        // Text, or the label of an enum, whose id differs between databases.
        25 | 1043 | 16384.. => text(bytes)?,
        _ => return Err(format!("the type {kind} is not known here").into()),
    })
}

fn array(mut from: Bytes<'_>) -> Result<String> {
    let dimensions = from.integer::<4>()?;
    from.take(4)?;
    let kind = u32::from_be_bytes(from.array()?);
    let length = if dimensions == 0 { 0 } else { from.integer::<4>()? };
    from.take(4 * dimensions)?;
    let items: Vec<String> = (0..length)
        .map(|_| {
            let length = from.integer::<4>()?;
            value(kind, from.take(length)?)
        })
        .collect::<Result<_>>()?;
    if items.iter().any(|item| item.contains([',', '"', '{', '}', ' ', '\\'])) {
        return Err("an item would have to be quoted".into());
    }
    Ok(format!("{{{}}}", items.join(",")))
}

fn text(bytes: &[u8]) -> Result<String> {
    Ok(std::str::from_utf8(bytes)?.to_owned())
}

/// The unread rest of a message.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("a message is cut short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH]> {
        Ok(self.take(LENGTH)?.try_into()?)
    }

    fn integer<const LENGTH: usize>(&mut self) -> Result<usize> {
        Ok(self.array::<LENGTH>()?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn until_zero(&mut self) -> Result<&'a [u8]> {
        let length = self.0.iter().position(|byte| *byte == 0).ok_or("a text does not end")?;
        let text = self.take(length)?;
        self.take(1)?;
        Ok(text)
    }
}
