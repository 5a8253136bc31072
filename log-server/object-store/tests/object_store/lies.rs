//! What the probe says of stores that lie.

use crate::key;
use stele_object_store::bucket::Bucket;
use stele_object_store::memory::{Fault, Lying, MemoryBucket};
use stele_object_store::probe::{Effort, Lie, ProbeError, probe};

fn probed(bucket: &MemoryBucket) -> Result<(), ProbeError> {
    probe(bucket, &key("probe/1"), Effort::default())
}

#[test]
fn an_honest_store_passes_and_nothing_of_the_probe_stays() {
    let bucket = MemoryBucket::new();
    probed(&bucket).unwrap();
    assert_eq!(bucket.list(&key("probe"), None).unwrap(), []);
}

#[test]
fn each_lie_is_called_by_its_name() {
    for lying in Lying::ALL {
        let Err(ProbeError::Lie { lie, .. }) = probed(&MemoryBucket::lying(lying)) else { panic!("{lying:?}") };
        let expected = match lying {
            Lying::CreateIgnored => Lie::CreateIgnored,
            Lying::ReplaceIgnored => Lie::ReplaceIgnored,
            Lying::ReplaceOfNothing => Lie::ReplaceOfNothing,
            Lying::LoserStored => Lie::LoserStored,
            Lying::StaleRead => Lie::StaleRead,
            Lying::StaleList => Lie::StaleList,
            Lying::VersionDiffers => Lie::VersionDiffers,
            Lying::VersionKept => Lie::VersionKept,
            // How many win is chance.
            Lying::ChecksThenActs => {
                assert!(matches!(lie, Lie::CreatedTwice { winners: 2.. }), "{lie:?}");
                continue;
            }
        };
        assert_eq!(lie, expected);
    }
}

#[test]
fn a_store_that_refuses_is_no_liar() {
    let bucket = MemoryBucket::failing(Box::new(|_| Some(Fault::Refused)));
    assert!(matches!(probed(&bucket), Err(ProbeError::Bucket(_))));
}
