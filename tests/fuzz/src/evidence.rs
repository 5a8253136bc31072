//! A file of evidence: parsed, written back, and judged by nobody's keys and by those of the vectors.

use stele_spec::misbehaviour::{KnownKeys, Misbehaviour};

/// The log of spec/vectors/misbehaviour.
const LOG: &str = "log.example/stele+aa1db5db+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";

/// One input.
pub fn run(data: &[u8]) {
    if let Ok(evidence) = Misbehaviour::parse(data) {
        assert_eq!(evidence.to_bytes().expect("what was parsed is written again"), data);
        let keys = KnownKeys::new(LOG.parse());
        let _ = evidence.check(&keys);
    }
}
