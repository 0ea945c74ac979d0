//! `bench calls`: the functions that the measured cases call, as the linker script that puts them side by side.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fmt::Write as _,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use crate::{
    Result, Shop,
    binaries::{Symbol, symbols},
    case::Case,
    programs::on_path,
};

/// The first request makes connections and fills caches, the next ones find them.
const REQUESTS: usize = 20;
/// Letters of a name that a pattern has: generic functions have names of a thousand.
const LONGEST: usize = 200;
/// A pattern that matches more bytes than this that are not called, and mostly those, is put behind the others: names of
/// generic functions leave their types out, so that one is the pattern of all handlers.
const MUCH: u64 = 32 * 1024;

/// What Valgrind does not see: functions for instructions that it does not know, and assembly, which has no section per
/// function. Each has randomness, TLS and checksums of the processors that Lambda runs on.
const UNSEEN: &str = "    *(.text*._ZN4sha26sha256*)
    *(.text*._ZN9crc32fast*)
    *aesni*.o(.text) *ghash*.o(.text) *sha256-*.o(.text) *sha512-*.o(.text) *x86_64-mont*.o(.text)
    *aesv8*.o(.text) *armv8-mont*.o(.text) *curve25519_x25519base*.o(.text)";

/// A case, and the patterns of what it calls.
type Called = (Case, HashSet<String>);

/// Runs each case from a cold start under Valgrind, which slows it down, and returns the script. The binaries must have
/// their symbols.
pub async fn script(shop: &mut Shop) -> Result<String> {
    let (mut by_case, mut by_binary) = (Vec::new(), HashMap::<&str, HashSet<String>>::new());
    for case in Case::of_functions() {
        let called = called(shop, case).await?;
        by_case.push((case, called.iter().map(|name| pattern(name)).collect()));
        by_binary.entry(case.binary()).or_default().extend(called);
    }
    let (mut sizes, mut wasteful) = (HashMap::new(), HashSet::new());
    for (binary, called) in by_binary {
        let symbols = symbols(&shop.binaries.join(binary), &[])?;
        sizes.insert(binary, symbols.iter().map(|symbol| symbol.size).sum::<u64>());
        wasteful.extend(wasteful_patterns(&symbols, &called));
    }
    // What the largest binary calls is together in each; the smaller ones call little that it does not.
    by_case.sort_by_key(|(case, _)| Reverse(sizes.get(case.binary()).copied()));
    text(&by_case, &wasteful)
}

/// Functions that the same cases call stand together, those of the first case in front.
fn text(by_case: &[Called], wasteful: &HashSet<String>) -> Result<String> {
    let mut groups: BTreeMap<Vec<Reverse<bool>>, BTreeSet<&String>> = BTreeMap::new();
    for pattern in by_case.iter().flat_map(|(_, patterns)| patterns) {
        let cases = by_case.iter().map(|(_, patterns)| Reverse(patterns.contains(pattern))).collect();
        groups.entry(cases).or_default().insert(pattern);
    }
    let mut text = "/* Functions that requests call, by the cases of the bench. Written by `make layout`. */\n\
        SECTIONS\n{\n  .text.called :\n  {\n"
        .to_owned();
    let mut last = Vec::new();
    for (cases, patterns) in groups {
        let (wide, narrow): (Vec<_>, Vec<_>) = patterns.into_iter().partition(|pattern| wasteful.contains(*pattern));
        last.extend(wide);
        if !narrow.is_empty() {
            let called = by_case.iter().zip(cases).filter(|(_, Reverse(calls))| *calls);
            let names: Vec<&str> = called.map(|((case, _), _)| case.name()).collect();
            writeln!(text, "    /* {} */\n{}", names.join(", "), lines(&narrow))?;
        }
    }
    writeln!(text, "    /* What Valgrind does not see. */\n{UNSEEN}")?;
    writeln!(text, "    /* Names of many functions, most of which are not called. */\n{}", lines(&last))?;
    Ok(text + "  }\n}\nINSERT BEFORE .text;\n")
}

fn lines(patterns: &[&String]) -> String {
    patterns.iter().map(|pattern| format!("    *(.text*.{pattern})")).collect::<Vec<_>>().join("\n")
}

/// The patterns of called functions that match many bytes of others in this binary.
fn wasteful_patterns(symbols: &[Symbol], called: &HashSet<String>) -> Vec<String> {
    let patterns: HashSet<String> = called.iter().map(|name| pattern(name)).collect();
    let mut bytes: HashMap<String, (u64, u64)> = HashMap::new();
    for symbol in symbols.iter().filter(|symbol| matches!(symbol.kind.as_str(), "t" | "T" | "w" | "W")) {
        let pattern = pattern(&symbol.name);
        if patterns.contains(&pattern) {
            let (of_called, of_others) = bytes.entry(pattern).or_default();
            *(if called.contains(&symbol.name) { of_called } else { of_others }) += symbol.size;
        }
    }
    let is_wasteful = |(called, others): (u64, u64)| others > MUCH && others > 3 * called;
    bytes.into_iter().filter(|(_, bytes)| is_wasteful(*bytes)).map(|(pattern, _)| pattern).collect()
}

/// The names of the functions that a case calls, without those of libraries that are loaded.
async fn called(shop: &mut Shop, case: Case) -> Result<HashSet<String>> {
    // As Callgrind names it.
    let binary = fs::canonicalize(shop.binaries.join(case.binary()))?;
    let report = shop.directory.join("callgrind.out");
    let under_valgrind = shop.directory.join("callgrind");
    fs::create_dir_all(&under_valgrind)?;
    write_program(&under_valgrind.join(case.binary()), &binary, &report)?;
    let environment = shop.environment(shop.biggest());
    let mut instance = shop.start_from(&under_valgrind, case.binary(), &environment).await?;
    for _ in 0..REQUESTS {
        let request = case.request(shop).await?;
        request.send_to(&mut instance).await?;
    }
    instance.terminate().await?;
    let called = functions(&fs::read_to_string(&report)?, &binary.to_string_lossy());
    if !called.contains("main") {
        return Err(format!(
            "{} has no symbols, or was linked by this script: build it as `make layout` does",
            binary.display()
        )
        .into());
    }
    Ok(called)
}

/// Writes a program that runs the binary under Valgrind.
fn write_program(program: &Path, binary: &Path, report: &Path) -> Result<()> {
    let valgrind = on_path("valgrind").pop().ok_or("valgrind is not installed")?;
    let options = "--quiet --tool=callgrind --demangle=no --compress-strings=no";
    let [valgrind, binary, report] = [&valgrind, binary, report].map(|path| path.display());
    fs::write(program, format!("#!/bin/sh\nexec '{valgrind}' {options} --callgrind-out-file='{report}' '{binary}'\n"))?;
    Ok(fs::set_permissions(program, Permissions::from_mode(0o755))?)
}

/// The functions of this object that a report of Callgrind has costs for.
/// <https://valgrind.org/docs/manual/cl-format.html>
fn functions(report: &str, object: &str) -> HashSet<String> {
    let mut is_of_object = false;
    let mut functions = HashSet::new();
    for line in report.lines() {
        if let Some(name) = line.strip_prefix("ob=") {
            is_of_object = name == object;
        } else if let Some(name) = line.strip_prefix("fn=").filter(|_| is_of_object) {
            // A function that calls itself has a number behind its name.
            let name = name.split('\'').next().unwrap_or(name);
            // Valgrind calls the start of a program `(below main)`.
            if name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '$')) {
                functions.insert(name.to_owned());
            }
        }
    }
    functions
}

/// The pattern of a mangled name, without what differs between builds: hashes, numbers of copies, a version.
/// <https://doc.rust-lang.org/rustc/symbol-mangling/index.html>
fn pattern(name: &str) -> String {
    let mut pattern = match name.rsplit_once("17h") {
        Some((path, _)) if name.starts_with("_ZN") => format!("{path}17h*"),
        _ if name.starts_with("_R") => without_hashes(name),
        _ => name.to_owned(),
    };
    if let Some(rest) = pattern.strip_prefix("aws_lc_") {
        let function = rest.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == '_');
        pattern = format!("aws_lc_*_{function}");
    }
    if pattern.len() > LONGEST {
        // Names are ASCII.
        pattern.truncate(LONGEST);
        pattern.push('*');
    }
    pattern
}

/// A name in the newer mangling, in which each crate's hash is `Cs…_`, without the number of a copy behind it.
fn without_hashes(name: &str) -> String {
    let mut parts = name.split_once('.').map_or(name, |(path, _)| path).split("Cs");
    let first = parts.next().unwrap_or_default().to_owned();
    let pattern = parts.fold(first, |pattern, part| match part.split_once('_') {
        Some((_, rest)) => format!("{pattern}Cs*_{rest}"),
        None => format!("{pattern}Cs{part}"),
    });
    format!("{pattern}*")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> HashSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn only_functions_of_the_binary_count() {
        let report = "ob=/lib/libc.so\nfn=memcpy\n1 2\nob=/f/bookings\nfl=???\nfn=(below main)\n1 1\nfn=main\n3 4\n\
            cob=/lib/libc.so\ncfn=free\nfn=walk'2\n1 1\n";
        assert_eq!(functions(report, "/f/bookings"), set(&["main", "walk"]));
    }

    #[test]
    fn a_pattern_matches_the_same_function_of_another_build() {
        for (name, expected) in [
            ("_ZN5tokio4park17hc457a9547145ec6eE", "_ZN5tokio4park17h*"),
            ("_ZN5tokio4park17hc457a9547145ec6eE.llvm.123", "_ZN5tokio4park17h*"),
            ("_RNvNtCsjrHSEGnQ3l9_3std4args4init", "_RNvNtCs*_3std4args4init*"),
            ("_RNvNtCsjrHSEGnQ3l9_3std4args4init.4286", "_RNvNtCs*_3std4args4init*"),
            ("aws_lc_0_47_0_BN_new", "aws_lc_*_BN_new"),
            ("main", "main"),
        ] {
            assert_eq!(pattern(name), expected);
        }
        assert_eq!(pattern(&"x".repeat(300)), format!("{}*", "x".repeat(LONGEST)));
    }

    #[test]
    fn what_matches_many_others_comes_last() {
        let symbol = |name: &str, size| Symbol { kind: "t".to_owned(), size, name: name.to_owned() };
        let symbols = [
            symbol("_ZN4axum4call17h1111111111111111E", 10_000),
            symbol("_ZN4axum4call17h2222222222222222E", 40_000),
            symbol("_ZN4main17h3333333333333333E", 50_000),
        ];
        let called = set(&["_ZN4axum4call17h1111111111111111E", "_ZN4main17h3333333333333333E"]);
        let wasteful = wasteful_patterns(&symbols, &called);
        assert_eq!(wasteful, ["_ZN4axum4call17h*"]);
        let slots = called.iter().map(|name| pattern(name)).collect();
        let booking = set(&["_ZN4main17h*", "_ZN4book17h*"]);
        let text = text(&[(Case::Slots, slots), (Case::Booking, booking)], &wasteful.into_iter().collect()).unwrap();
        let (begin, end) = text.split_once(UNSEEN).unwrap();
        let expected = "\
/* Functions that requests call, by the cases of the bench. Written by `make layout`. */
SECTIONS
{
  .text.called :
  {
    /* slots, booking */
    *(.text*._ZN4main17h*)
    /* booking */
    *(.text*._ZN4book17h*)
    /* What Valgrind does not see. */
";
        assert_eq!(begin, expected);
        let expected = "
    /* Names of many functions, most of which are not called. */
    *(.text*._ZN4axum4call17h*)
  }
}
INSERT BEFORE .text;
";
        assert_eq!(end, expected);
    }
}
