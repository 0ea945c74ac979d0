//! Programs of Postgres and Redis, for tests that start servers of their own.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The folder of Postgres's programs. Debian does not put those of the server on the PATH.
pub fn postgres_programs() -> PathBuf {
    let of_debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let of_debian = of_debian.map(|version| version.unwrap().path().join("bin"));
    // A link to one program says nothing of the others, which are where it leads.
    let initdb = folders().chain(of_debian).find_map(|place| place.join("initdb").canonicalize().ok());
    let place = initdb.as_deref().and_then(Path::parent);
    place.expect("initdb is missing: run `eval \"$(python3 local/services.py)\"` first").to_owned()
}

/// The server of Redis, or of Valkey.
pub fn redis_program() -> PathBuf {
    let mut programs = folders().flat_map(|place| ["redis-server", "valkey-server"].map(|name| place.join(name)));
    let program = programs.find(|program| program.is_file());
    program.expect("redis-server is missing: run `eval \"$(python3 local/services.py)\"` first")
}

/// Lets Postgres, which refuses to run as root, write this folder; returns what its commands begin with for that.
pub fn for_postgres(folder: &Path) -> &'static str {
    let user = Command::new("id").arg("-u").output().unwrap();
    if user.stdout != b"0\n" {
        return "";
    }
    assert!(Command::new("chown").args(["-R", "postgres:"]).arg(folder).status().unwrap().success());
    "setpriv --reuid=postgres --regid=postgres --clear-groups "
}

fn folders() -> impl Iterator<Item = PathBuf> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>().into_iter()
}
