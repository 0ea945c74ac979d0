//! `bench memory DIRECTORY…`: what fills the memory of warm functions, build by build.

use std::path::{Path, PathBuf};

use crate::{
    Effort, Result, Shop,
    case::{Case, WARM_UP},
    instance::Memory,
    one_request::Warm,
    series::number,
    table::table,
};

const COLUMNS: [&str; 9] =
    ["case", "build", "peak", "× bare", "code", "rest of the binary", "libraries", "heap", "stacks and large blocks"];

/// Measures each case of these builds; returns a table in MiB.
pub async fn measure(shop: &mut Shop, directories: &[PathBuf], effort: Effort) -> Result<String> {
    let own = shop.binaries.clone();
    let bare = memory(shop, &own, Case::Bare, effort).await?;
    let mut rows = vec![row(Case::Bare, "", bare, bare)];
    for case in Case::of_functions() {
        for directory in directories {
            let name = directory.file_name().unwrap_or_default().to_string_lossy();
            let of_case = memory(shop, directory, case, effort).await?;
            rows.push(row(case, &name, of_case, bare));
        }
    }
    Ok(table(&COLUMNS, &rows))
}

async fn memory(shop: &mut Shop, directory: &Path, case: Case, effort: Effort) -> Result<Memory> {
    let mut warm = Warm::start(shop, directory, case).await?;
    warm.run(shop, WARM_UP + effort.requests).await?;
    warm.memory()
}

fn row(case: Case, build: &str, memory: Memory, bare: Memory) -> Vec<String> {
    let parts = [memory.code, memory.binary - memory.code, memory.libraries, memory.heap, memory.rest];
    let mebibytes = |bytes: u64| format!("{:.2}", number(bytes) / f64::from(1 << 20));
    let ratio = format!("{:.2}", number(memory.peak) / number(bare.peak));
    [case.name().to_owned(), build.to_owned(), mebibytes(memory.peak), ratio]
        .into_iter()
        .chain(parts.map(mebibytes))
        .collect()
}
