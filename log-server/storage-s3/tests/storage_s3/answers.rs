//! What services say that is neither done nor a conflict.

use crate::{bucket_of, config, key};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use stele_clock::SystemClock;
use stele_explain::Explain as _;
use stele_log_storage_s3::location::Endpoint;
use stele_log_storage_s3::s3_bucket::S3Bucket;
use stele_log_storage_s3::simulated::{ACCESS_KEY, SimulatedS3};
use stele_object_store::bucket::{Bucket as _, Condition, PutAnswer, Trouble};
use stele_object_store::memory::MemoryBucket;

/// A client of something that gives one answer, whatever it is asked.
fn told(answer: &'static str) -> S3Bucket {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint::of_this_machine(listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]);
        connection.write_all(answer.as_bytes()).unwrap();
    });
    S3Bucket::new(config(endpoint, ACCESS_KEY), Arc::new(SystemClock))
}

#[test]
fn a_put_is_a_conflict_only_where_the_condition_is_said_to_fail() {
    let conflict = "HTTP/1.1 412 Precondition Failed\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(told(conflict).put(&key("a"), Condition::Absent, b"1").unwrap(), PutAnswer::ConditionFailed);
    for (answer, trouble, code) in [
        (
            "HTTP/1.1 409 Conflict\r\nConnection: close\r\n\r\n<Error><Code>ConditionalRequestConflict</Code></Error>",
            Trouble::Unclear,
            "objects-unavailable",
        ),
        ("HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", Trouble::Unclear, "objects-unavailable"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", Trouble::Unclear, "exchange-failed"),
        ("no HTTP at all\r\n\r\n", Trouble::Unclear, "exchange-failed"),
        (
            "HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            Trouble::Refused,
            "objects-refused",
        ),
        (
            "HTTP/1.1 501 Not Implemented\r\nConnection: close\r\n\r\n<Error><Code>NotImplemented</Code></Error>",
            Trouble::Refused,
            "objects-not-conditional",
        ),
        (
            "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n<Error><Code>NoSuchBucket</Code></Error>",
            Trouble::Refused,
            "no-bucket",
        ),
    ] {
        let error = told(answer).put(&key("a"), Condition::Absent, b"1").unwrap_err();
        assert_eq!((error.trouble(), error.code()), (trouble, code), "{answer}: {error:?}");
    }
}

#[test]
fn an_absence_is_believed_in_the_words_of_the_service_alone() {
    let gone = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n<Error><Code>NoSuchKey</Code></Error>";
    assert!(told(gone).get(&key("a"), 10).unwrap().is_none());
    let page = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n<html>no such page</html>";
    assert_eq!(told(page).get(&key("a"), 10).unwrap_err().trouble(), Trouble::Unclear);
    let welcome = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>welcome</html>";
    assert_eq!(told(welcome).list(&key("a"), None).unwrap_err().trouble(), Trouble::Unclear);
    assert_eq!(told(welcome).get(&key("a"), 100).unwrap_err().trouble(), Trouble::Unclear);
}

#[test]
fn an_answer_that_has_no_end_is_cut() {
    let endless: &'static str = Box::leak(
        format!("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nConnection: close\r\n\r\n{}", "x".repeat(300_000)).into_boxed_str(),
    );
    assert_eq!(told(endless).get(&key("a"), 10).unwrap_err().trouble(), Trouble::TooLarge);
    assert!(told(endless).put(&key("a"), Condition::None, b"1").is_err());
    let service = SimulatedS3::start(MemoryBucket::new()).unwrap();
    let bucket = bucket_of(&service);
    bucket.put(&key("a"), Condition::Absent, b"12345").unwrap();
    assert_eq!(bucket.get(&key("a"), 4).unwrap_err().trouble(), Trouble::TooLarge);
}
