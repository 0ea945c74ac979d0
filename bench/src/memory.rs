//! `bench memory DIRECTORY…`: what fills the memory of warm functions, build by build.

use std::path::{Path, PathBuf};

use crate::{
    Effort, Result, Shop,
    case::{Case, WARM_UP},
    instance::{Instance, Memory},
    one_request::Warm,
    series::number,
    table::table,
};

const COLUMNS: [&str; 9] =
    ["case", "build", "peak", "× bare", "code", "rest of the binary", "libraries", "heap", "stacks and large blocks"];

/// Measures each case of these builds; returns a table in MiB.
pub async fn measure(shop: &mut Shop, directories: &[PathBuf], effort: Effort) -> Result<String> {
    let environment = shop.environment(shop.biggest());
    let mut auth = shop.start("auth", &environment).await?;
    let own = shop.binaries.clone();
    let bare = memory(shop, &mut auth, &own, Case::Bare, effort).await?;
    let mut rows = vec![row(Case::Bare, "", bare, bare)];
    for case in Case::of_functions() {
        for directory in directories {
            let name = directory.file_name().unwrap_or_default().to_string_lossy();
            let of_case = memory(shop, &mut auth, directory, case, effort).await?;
            rows.push(row(case, &name, of_case, bare));
        }
    }
    Ok(table(&COLUMNS, &rows))
}

async fn memory(shop: &mut Shop, auth: &mut Instance, directory: &Path, case: Case, effort: Effort) -> Result<Memory> {
    let mut warm = Warm::start(shop, directory, case).await?;
    warm.run(shop, auth, WARM_UP + effort.requests).await?;
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
