//! The layout of a function's binary: what requests call stands side by side, so that a start brings little else into
//! memory.
//!
//! The kernel maps 16 pages or more around each page that is touched. In the order of the compiler nearly all code was in
//! memory, though a request calls a third of it. The addresses are fixed as well: a binary that may stand anywhere has
//! thousands of pointers that each start puts right, on pages that are its own from then on. docs/speed.md tells what both
//! change.

use std::env::var_os;

/// Has cargo link the binary whose build script calls this by `called.ld` and for fixed addresses, if it is for a release or
/// for another processor: so `make cross` tells whether the linker of deployments takes both. `LAYOUT=none` leaves out
/// both: Valgrind names no function outside of `.text`.
pub fn link() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/called.ld");
    println!("cargo::rerun-if-changed={script}");
    println!("cargo::rerun-if-env-changed=LAYOUT");
    let is_wanted = var_os("LAYOUT").is_none_or(|layout| layout != "none");
    let is_release = var_os("PROFILE").is_some_and(|profile| profile == "release");
    let is_for_linux = var_os("CARGO_CFG_TARGET_OS").is_some_and(|system| system == "linux");
    if is_wanted && is_for_linux && (is_release || var_os("TARGET") != var_os("HOST")) {
        println!("cargo::rustc-link-arg-bins=-Wl,--script={script}");
        // Behind rustc's own `-pie`: the last one counts.
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
