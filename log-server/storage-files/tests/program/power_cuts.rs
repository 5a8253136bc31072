//! The power is cut at every operation of a log's life, on a disk that forgets what was not synced: what was signed is there, its tiles and
//! manifests whole, what was published is published, and the history stays one.

use std::sync::Arc;
use stele_durable::compare_and_swap::{CasError, CasFile};
use stele_durable::{Dir, ForgetfulDisk};
use stele_log_core::contract::head_store::{HeadError, HeadErrorKind, HeadStore};
use stele_log_core::manifests::{Manifests, Stored};
use stele_log_core::samples::{Offline, claim, release};
use stele_log_core::submitted_manifest::SubmittedManifest;
use stele_log_storage_files::objects::FileObjects;
use stele_spec::hash::{Digest, RootHash};
use stele_spec::merkle::root_at;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::tile::TileNodes;

const DATA: &str = "/srv/log/data";

/// The signed head, without the lock: there is one process.
#[derive(Debug)]
struct Head(CasFile);

impl HeadStore for Head {
    fn load(&self) -> Result<Option<Vec<u8>>, HeadError> {
        self.0.load().map_err(|error| HeadError::new(HeadErrorKind::Uncertain, CasError::from(error)))
    }

    fn compare_and_swap(&self, expected: Option<&[u8]>, new: &[u8]) -> Result<(), HeadError> {
        self.0.swap(expected, new).map_err(|error| HeadError::new(HeadErrorKind::Uncertain, error))
    }

    fn check_held(&self) -> Result<(), HeadError> {
        Ok(())
    }

    fn excludes_others(&self) -> bool {
        true
    }
}

/// The log on this disk, as a start finds it; `None` where the power is off.
fn start(disk: &ForgetfulDisk) -> Option<Offline> {
    let data = Dir::open_on(Arc::new(disk.clone()), DATA).ok()?;
    let head = Head(CasFile::in_dir(&data, "lock/signed-head"));
    match Offline::start(Box::new(head), Arc::new(FileObjects::new(&data))) {
        Ok(log) => Some(log),
        Err(error) => {
            assert!(disk.is_off(), "with power a start succeeds: {error}");
            None
        }
    }
}

/// What the log has answered for.
#[derive(Default)]
struct Promised {
    size: u64,
    root: Option<RootHash>,
    /// The size whose checkpoint was public before it was answered.
    published: u64,
    manifests: Vec<Digest>,
    next: u32,
}

/// Writes and publishes batches until the power is off; some are followed by a sync, as the running log does now and then. From the first
/// sync on there are spare files.
fn live(disk: &ForgetfulDisk, promised: &mut Promised) {
    let Some(mut log) = start(disk) else { return };
    if log.writer.signed.is_none() && log.write(Vec::new()).is_err() {
        return;
    }
    for _ in 0..5 {
        promised.next += 1;
        let n = promised.next;
        let name = format!("a{n}.example");
        let (signed, manifest) = release(&name, 1, "base", n as u8);
        let digest = manifest.digest();
        let brought = vec![SubmittedManifest::new(digest, manifest.bytes().to_vec())];
        let Ok(written) = log.write_with(vec![claim(&name, 1), signed], brought) else { return };
        promised.size = written.head.checkpoint.size();
        promised.root = Some(written.head.checkpoint.root());
        promised.manifests.push(digest);
        let Ok(published) = log.try_publish() else { return };
        promised.published = published.size();
        if n.is_multiple_of(3) {
            log.store.objects().prepare();
            if log.writer.sync().is_err() {
                return;
            }
        }
    }
}

/// What was promised is there.
fn check(log: &Offline, promised: &Promised, case: &str) {
    let signed = log.writer.signed.as_ref().map_or(0, |head| head.checkpoint.size());
    assert!(signed >= promised.size, "{case}: {signed} of {} entries", promised.size);
    if let Some(root) = promised.root {
        let nodes = TileNodes::new(&log.store, signed);
        assert_eq!(root_at(&nodes, promised.size).unwrap(), root, "{case}");
        assert_eq!(root_at(&nodes, signed).unwrap(), log.writer.tree.root(), "{case}");
    }
    let published = log.found.as_ref().unwrap().published.as_ref().map_or(0, TrustedCheckpoint::size);
    assert!(published >= promised.published, "{case}: {published} of {} are public", promised.published);
    let manifests = Manifests::new(&log.store);
    for digest in &promised.manifests {
        assert!(matches!(manifests.read(digest).unwrap(), Stored::Sound(_)), "{case}: manifest {digest}");
    }
}

#[test]
fn whatever_operation_the_power_goes_at_what_was_signed_is_there_whole() {
    let mut put_again = 0;
    for cut in (0..420).step_by(3) {
        let disk = ForgetfulDisk::new();
        let mut promised = Promised::default();
        // Three lives on one disk: what one left torn is what the next begins with.
        for life in 0..3_u64 {
            disk.cut_after(cut + 7 * life);
            live(&disk, &mut promised);
            disk.power_cycle(cut * 31 + life);
            let case = format!("cut after {cut}, life {life}");
            let data = Dir::open_on(Arc::new(disk.clone()), DATA).unwrap();
            put_again += usize::from(data.list("staged").unwrap().is_some_and(|staged| !staged.is_empty()));
            let log = start(&disk).unwrap();
            // Files that are prepared and empty are for the next batches.
            let is_filled = |name: &str| {
                data.read(&format!("staged/{name}"), 1 << 20).unwrap().is_some_and(|bytes| !bytes.is_empty())
            };
            let staged = data.list("staged").unwrap().unwrap_or_default();
            assert!(!staged.iter().any(|file| is_filled(&file.name)), "{case}: nothing stays staged");
            check(&log, &promised, &case);
            drop(log);
            // What a start has put again stays, whatever comes then.
            disk.power_cycle(cut * 37 + life);
            check(&start(&disk).unwrap(), &promised, &case);
        }
    }
    assert!(put_again >= 100, "{put_again} starts had to put something again");
}
