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

/// A table of the largest crates in a binary with symbols, as `nm` lists them.
pub fn contents(binary: &Path) -> Result<String> {
    let output = Command::new("nm").args(["--print-size", "--demangle", "--radix=d"]).arg(binary).output();
    let output = output.map_err(|error| format!("nm, which binutils bring, does not run: {error}"))?;
    let mut by_crate: HashMap<String, u64> = HashMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.splitn(4, ' ');
        let (_, size, _, Some(name)) = (words.next(), words.next(), words.next(), words.next()) else { continue };
        let Some(size) = size.and_then(|size| size.parse::<u64>().ok()) else { continue };
        *by_crate.entry(crate_of(name).to_owned()).or_default() += size;
    }
    if by_crate.is_empty() {
        return Err(format!("{} has no symbols", binary.display()).into());
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
