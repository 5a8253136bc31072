//! A name proof: what parses is written back as it was, and is checked without a panic.

use stele_spec::nameproof::{Kept, NameProof, check};
use stele_spec::policy::Policy;

/// The policy of the seeds.
const POLICY: &str = "log log.example/stele+aa1db5db+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n\
                      witness w1 witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU\nquorum w1\n";

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(proof) = NameProof::parse(data) {
        assert_eq!(proof.to_bytes(), data);
        let policy = Policy::parse(POLICY.as_bytes()).expect("the policy of the seeds");
        let _ = check(&proof, proof.subject(), &Kept::nothing(), &policy);
    }
}
