//! A restore, rehearsed: base backup and WAL up to a moment, then the jobs run on the restored database.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use razorpay_stand_in::Outcome;
use serde_json::json;
use shared::database::{Database, MIGRATOR};
use sqlx::PgPool;
use testing::eventually;

use crate::{World, app};

/// Servers of the rehearsal's own, in a folder that is deleted with it.
struct Servers {
    folder: PathBuf,
    programs: PathBuf,
    user: &'static str,
}

impl Servers {
    fn new() -> Self {
        let folder = env::temp_dir().join(testing::random_prefix().replace(':', "-"));
        fs::create_dir_all(folder.join("log")).unwrap();
        let user = testing::for_postgres(&folder);
        Self { folder, programs: testing::postgres_programs(), user }
    }

    /// Runs one of Postgres's programs.
    fn run(&self, program: &str, arguments: &str) {
        let command =
            format!("cd / && {}{}/{program} {arguments} > /dev/null 2>&1", self.user, self.programs.display());
        assert!(Command::new("sh").args(["-c", &command]).status().unwrap().success(), "{command}");
    }

    /// Starts a server on a folder of data and connects to it.
    async fn start(&self, data: &str) -> (PgPool, u16) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let options = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c archive_mode=on \
             -c 'archive_command=cp %p {0}/log/%f' -c 'restore_command=cp {0}/log/%f %p'",
            self.folder.display()
        );
        let log = self.path("server.log");
        self.run("pg_ctl", &format!("start -w -D {} -l {} -o \"{options}\"", self.path(data), log));
        (PgPool::connect(&format!("postgresql://owner@127.0.0.1:{port}/postgres")).await.unwrap(), port)
    }

    fn stop(&self, data: &str) {
        self.run("pg_ctl", &format!("stop -w -m fast -D {}", self.path(data)));
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for data in
            ["first", "restored"].iter().filter(|data| Path::new(&self.path(data)).join("postmaster.pid").exists())
        {
            self.stop(data);
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[tokio::test]
async fn jobs_on_a_database_restored_to_a_moment_before_a_refund_do_not_pay_it_twice() {
    let servers = Servers::new();
    servers.run("initdb", &format!("-D {} -U owner -A trust --no-locale -E UTF8", servers.path("first")));
    let (pool, port) = servers.start("first").await;
    MIGRATOR.run(&pool).await.unwrap();
    let world = World::new(pool).await;
    let payment = world.razorpay.checkout(&world.order(), Outcome::Captured).payment_id;
    let backup = format!("-h 127.0.0.1 -p {port} -U owner -D {} --checkpoint=fast", servers.path("restored"));
    servers.run("pg_basebackup", &backup);

    // After the backup: the payment is settled and a refund is queued. Then the moment, and Razorpay pays the refund.
    world.run("reconcile_payments").await;
    world.queue(30_000).await;
    let moment: String = sqlx::query_scalar("select clock_timestamp()::text").fetch_one(&world.pool).await.unwrap();
    world.run("deliver_outbox").await;
    assert_eq!(world.facts().await[1], json!(["processed"]));
    assert_eq!(world.razorpay.payment(&payment).unwrap()["amount_refunded"], 30_000);
    sqlx::query("select pg_switch_wal()").execute(&world.pool).await.unwrap();
    world.pool.close().await;
    servers.stop("first");

    let target = format!("recovery_target_time = '{moment}'\nrecovery_target_action = 'promote'\n");
    let settings = servers.path("restored/postgresql.auto.conf");
    fs::write(&settings, fs::read_to_string(&settings).unwrap_or_default() + &target).unwrap();
    fs::write(servers.path("restored/recovery.signal"), "").unwrap();
    let (pool, _) = servers.start("restored").await;
    eventually("the restored database takes changes", async || {
        !sqlx::query_scalar::<_, bool>("select pg_is_in_recovery()").fetch_one(&pool).await.unwrap()
    })
    .await;

    let restored = World { app: app(Database::from(pool.clone()), &world.razorpay), razorpay: world.razorpay, pool };
    assert_eq!(restored.facts().await, json!(["completed", ["queued"], ["paid", "refund_requested"]]), "{moment}");
    // A restore on AWS takes longer than Razorpay knows the key of a refund.
    sqlx::query("update refunds set created_at = now() - interval '6 minutes'").execute(&restored.pool).await.unwrap();
    restored.razorpay.forget_keys();
    restored.run("deliver_outbox").await;
    restored.run("reconcile_payments").await;
    assert_eq!(restored.razorpay.payment(&payment).unwrap()["amount_refunded"], 30_000);
    assert_eq!((restored.razorpay.refunds().len(), &restored.facts().await[1]), (1, &json!(["processed"])));
}
