//! A report of what was read: what parses is written back as it was, and is checked without a panic.

use stele_spec::coverage::{Coverage, check};
use stele_spec::policy::Policy;

/// The policy of the seeds.
const POLICY: &str = "log log.example/stele+822aa46c+AdYvAWoe/R5P33k+tCzYRHHhup8M8E0Sh7XMcfYWKHy4\n\
                      log log.example/other+29156d18+AVtkicnH/Q3PUFRefBZIhu9ASR7AbH8bEjBBeX6BF1Ne\n\
                      witness w1 witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\n\
                      quorum w1\n";

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(report) = Coverage::parse(data) {
        assert_eq!(report.to_bytes().expect("what was read is written"), data);
        let policy = Policy::parse(POLICY.as_bytes()).expect("the policy of the seeds");
        let _ = check(&report, &policy);
    }
}
