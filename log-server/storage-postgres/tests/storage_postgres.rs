//! A server that nobody here wrote, where one runs: `tests/peers/objects.sh` starts it and says where.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says what failed by failing")]

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use postgres::{Client, NoTls};
use stele_log_storage_postgres::postgres_lock::{PostgresConfig, PostgresLock};
use stele_object_store::conformance::{failures, lock};
use stele_object_store::lock::{Lock, LockErrorKind};
use stele_object_store::record::{Run, Step};
use stele_spec::checkpoint::Origin;

/// The address that `STELE_TEST_POSTGRES` says, whose user may do everything.
fn address() -> String {
    std::env::var("STELE_TEST_POSTGRES").unwrap()
}

fn client() -> Client {
    Client::connect(&address(), NoTls).unwrap()
}

/// A lock in a schema of its own, which is made anew.
fn schema(name: &str) -> PostgresConfig {
    client().batch_execute(&format!("DROP SCHEMA IF EXISTS {name} CASCADE; CREATE SCHEMA {name}")).unwrap();
    in_schema(name)
}

fn in_schema(name: &str) -> PostgresConfig {
    let address = format!("{}&options=-c%20search_path%3D{name}", address()).parse().unwrap();
    PostgresConfig { address, password: None, authorities: None }
}

fn origin() -> Origin {
    "log.example/postgres".parse().unwrap()
}

fn fence(writer: &str) -> Step {
    Step::Fence { writer: writer.to_owned() }
}

#[test]
#[ignore = "needs a server: tests/peers/objects.sh"]
fn a_table_conforms_with_many_racers() {
    for row in 0..16 {
        drop(schema(&format!("row_{row}")));
    }
    let open = |row: u64, origin: &Origin, run: Run| -> Box<dyn Lock> {
        Box::new(PostgresLock::open(in_schema(&format!("row_{row}")), origin, run).unwrap())
    };
    assert_eq!(failures(&lock::run(&open, 40)), Vec::<String>::new());
}

#[test]
#[ignore = "needs a server: tests/peers/objects.sh"]
fn an_append_whose_session_is_ended_is_an_unknown_outcome_and_the_next_run_goes_on() {
    let config = schema("ended");
    let mut lock = PostgresLock::open(config.clone(), &origin(), Run([1; 16])).unwrap();
    let fenced = lock.append(None, fence("1")).unwrap();
    // Somebody holds the table, so that the append waits; then its session is ended.
    let (held, ready) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let holder = thread::spawn(move || {
        let mut client = client();
        let mut hold = client.transaction().unwrap();
        hold.batch_execute("LOCK TABLE ended.stele_lock IN ACCESS EXCLUSIVE MODE").unwrap();
        held.send(()).unwrap();
        let _ = released.recv();
    });
    ready.recv().unwrap();
    let end = thread::spawn(|| {
        thread::sleep(Duration::from_millis(500));
        let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'stele-log' AND wait_event_type = 'Lock'";
        client().batch_execute(end).unwrap();
    });
    let error = lock.append(Some(&fenced), fence("2")).unwrap_err();
    assert_eq!(error.kind(), LockErrorKind::Unknown, "{error}");
    // This run says nothing any more.
    assert_eq!(lock.append(Some(&fenced), fence("2")).unwrap_err().kind(), LockErrorKind::Unknown);
    end.join().unwrap();
    release.send(()).unwrap();
    holder.join().unwrap();
    let mut next = PostgresLock::open(config, &origin(), Run([2; 16])).unwrap();
    assert_eq!(next.newest().unwrap(), Some(fenced));
    assert_eq!(next.take("2").unwrap().epoch(), 2);
}

#[test]
#[ignore = "needs a server: tests/peers/objects.sh"]
fn a_success_with_a_warning_is_an_unknown_outcome() {
    let config = schema("warned");
    let mut lock = PostgresLock::open(config.clone(), &origin(), Run([1; 16])).unwrap();
    let fenced = lock.append(None, fence("1")).unwrap();
    // As a server says it whose wait for a standby was cut short: the row is there.
    let warn = "CREATE FUNCTION warned.warn() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE WARNING 'canceling wait for synchronous replication due to user request'; RETURN NULL; END $$;
        CREATE TRIGGER warn AFTER INSERT ON warned.stele_lock EXECUTE FUNCTION warned.warn()";
    client().batch_execute(warn).unwrap();
    let error = lock.append(Some(&fenced), fence("2")).unwrap_err();
    assert_eq!(error.kind(), LockErrorKind::Unknown, "{error}");
    assert!(error.to_string().contains("warning"), "{error}");
    client().batch_execute("DROP TRIGGER warn ON warned.stele_lock").unwrap();
    let mut next = PostgresLock::open(config, &origin(), Run([2; 16])).unwrap();
    let found = next.newest().unwrap().unwrap();
    assert_eq!(found.number(), 2);
    assert_eq!(next.take("3").unwrap().epoch(), 3);
}

#[test]
#[ignore = "needs a server: tests/peers/objects.sh"]
fn a_server_that_takes_no_writes_or_another_password_is_refused_before_anything_is_signed() {
    let config = schema("readers");
    let read_only =
        format!("{}&options=-c%20search_path%3Dreaders%20-c%20default_transaction_read_only%3Don", address());
    let read_only = PostgresConfig { address: read_only.parse().unwrap(), ..config.clone() };
    let error = PostgresLock::open(read_only, &origin(), Run([1; 16])).unwrap_err();
    assert!(error.to_string().contains("expected the primary"), "{error}");
    let (_, host) = address().split_once('@').map(|(user, host)| (user.to_owned(), host.to_owned())).unwrap();
    let nobody = PostgresConfig { address: format!("postgres://nobody@{host}").parse().unwrap(), ..config };
    let error = PostgresLock::open(nobody, &origin(), Run([1; 16])).unwrap_err();
    assert_eq!(error.kind(), LockErrorKind::Failed, "{error}");
}

#[test]
#[ignore = "needs a server: tests/peers/objects.sh"]
fn who_only_looks_makes_no_table_and_sees_who_holds_the_lock() {
    let config = schema("looked_at");
    let look = || PostgresLock::look(config.clone(), &origin(), Run([9; 16])).unwrap();
    let tables = || {
        let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'looked_at'";
        client().query_one(count, &[]).unwrap().get::<_, i64>(0)
    };
    assert!(look().is_none());
    assert_eq!(tables(), 0);
    let mut lock = PostgresLock::open(config.clone(), &origin(), Run([1; 16])).unwrap();
    assert_eq!(look().unwrap().newest().unwrap(), None);
    let fenced = lock.append(None, fence("1")).unwrap();
    assert_eq!(look().unwrap().newest().unwrap(), Some(fenced));
}
