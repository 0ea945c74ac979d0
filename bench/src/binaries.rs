//! Sizes of the binaries, and the contents of one by crate.

use std::{collections::HashMap, fs, path::Path, process::Command};

use serde::{Deserialize, Serialize};

use crate::{Result, series::number, table::table};

/// The file of a function.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Binary {
    pub name: String,
    pub bytes: u64,
}

/// The sizes of these binaries, smallest first.
pub(crate) fn sizes(directory: &Path, names: &[&str]) -> Result<Vec<Binary>> {
    let size = |name: &&str| {
        let about = fs::metadata(directory.join(name))?;
        Ok(Binary { name: (*name).to_owned(), bytes: about.len() })
    };
    let mut binaries: Vec<Binary> = names.iter().map(size).collect::<Result<_>>()?;
    binaries.sort_by_key(|binary| binary.bytes);
    Ok(binaries)
}

/// A function or a constant in a binary.
#[derive(Debug)]
pub(crate) struct Symbol {
    /// The letter that `nm` has for its kind.
    pub(crate) kind: String,
    pub(crate) size: u64,
    pub(crate) name: String,
}

/// The symbols of a binary that have a size, as `nm` lists them with these options.
pub(crate) fn symbols(binary: &Path, options: &[&str]) -> Result<Vec<Symbol>> {
    let output = Command::new("nm").args(["--print-size", "--radix=d"]).args(options).arg(binary).output();
    let output = output.map_err(|error| format!("nm, which binutils bring, does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let symbols = text.lines().filter_map(|line| {
        let mut words = line.splitn(4, ' ');
        let (_, size, kind, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
        Some(Symbol { kind: kind.to_owned(), size: size.parse().ok()?, name: name.to_owned() })
    });
    let symbols: Vec<Symbol> = symbols.collect();
    if symbols.is_empty() {
        return Err(format!("{} has no symbols", binary.display()).into());
    }
    Ok(symbols)
}

/// A table of the largest crates in a binary with symbols, as `nm` lists them.
pub fn contents(binary: &Path) -> Result<String> {
    let mut by_crate: HashMap<String, u64> = HashMap::new();
    for symbol in symbols(binary, &["--demangle"])? {
        *by_crate.entry(crate_of(&symbol.name).to_owned()).or_default() += symbol.size;
    }
    let whole = by_crate.values().sum::<u64>();
    let mut crates: Vec<(String, u64)> = by_crate.into_iter().collect();
    crates.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
    let rows: Vec<Vec<String>> = crates
        .into_iter()
        .take(25)
        .map(|(name, size)| {
            vec![
                name,
                format!("{:.0}", number(size) / 1024.0),
                format!("{:.1} %", 100.0 * number(size) / number(whole)),
            ]
        })
        .collect();
    Ok(table(&["crate", "KiB", "of all symbols"], &rows))
}

/// The crate of a symbol: the first one in its path. C has no crates.
fn crate_of(symbol: &str) -> &str {
    let path = symbol.trim_start_matches(['<', '&', '*', '(', '[']);
    let path = path.strip_prefix("mut ").or_else(|| path.strip_prefix("dyn ")).unwrap_or(path);
    match path.split_once("::") {
        Some((name, _)) if name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') => name,
        _ if symbol.starts_with("aws_lc") => "aws_lc_sys (C)",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::crate_of;

    #[test]
    fn a_symbol_belongs_to_the_first_crate_of_its_path() {
        for (symbol, name) in [
            ("core::ptr::drop_in_place<sqlx_core::error::Error>", "core"),
            ("<sqlx_postgres::connection::PgConnection as core::fmt::Debug>::fmt", "sqlx_postgres"),
            ("<&mut serde_json::ser::Serializer<W> as serde_core::ser::Serializer>::serialize_str", "serde_json"),
            ("aws_lc_0_45_0_EVP_DigestInit", "aws_lc_sys (C)"),
            ("memcpy", "other"),
        ] {
            assert_eq!(crate_of(symbol), name, "{symbol}");
        }
    }
}
