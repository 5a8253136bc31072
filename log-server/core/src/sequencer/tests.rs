use super::*;
use crate::checkpoint::SignedCheckpoint;
use crate::contract::head_store::{HeadError, HeadStore};
use crate::contract::lookup::{Lookup, LookupKey, LookupUnavailable};
use crate::endpoint::{WitnessAnswer, WitnessRequest};
use crate::file_digests::FileDigestIndex;
use crate::manifests::Manifests;
use crate::prover::Prover;
use crate::replay::Parsed;
use crate::rules::{Batch as BatchRule, Rules};
use crate::samples::{
    MemoryHeadStore, MemoryObjects, ORIGIN, Offline, claim, key, open_registration, policy, release, signer,
};
use crate::staged_batch::{MAX_BATCH_BYTES, MAX_STATEMENT_BYTES};
use crate::witness_problem::Problem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};
use stele_clock::ManualClock;
use stele_spec::checkpoint::Checkpoint;
use stele_spec::cosignature::{UnixTime, cosign};
use stele_spec::entry::Entry;
use stele_spec::hash::{Digest, RootHash};
use stele_spec::note::{KeyType, SignerKey};
use stele_spec::statement::{Host, MAX_HOSTS, Statement, sign};

/// Lookups that nobody asks.
#[derive(Debug)]
struct Unasked;

impl Lookup for Unasked {
    fn extend(&self, _: &[LookupRow], _: u64, _: RootHash) {}

    fn positions(&self, _: LookupKey<'_>, _: u64) -> Result<Vec<u64>, LookupUnavailable> {
        Ok(Vec::new())
    }

    fn away(&self) -> Option<LookupUnavailable> {
        None
    }

    fn behind(&self) -> u64 {
        0
    }

    fn flush(&self) {}
}

const START: Duration = Duration::from_secs(1000);

fn after(milliseconds: u64) -> Duration {
    START + Duration::from_millis(milliseconds)
}

fn witness() -> SignerKey {
    SignerKey::new("w1.example".parse().unwrap(), KeyType::Cosigner, [4; 32])
}

fn settings(lines: &str) -> Settings {
    let rules = Rules {
        registration: open_registration(),
        batch: BatchRule { max_age_ms: 10, ..BatchRule::default() },
        republish_every: 600,
        quorum_seconds: 10,
        min_free_bytes: 0,
        frozen: false,
    };
    Settings { policy: policy(lines), rules }
}

/// A new log in memory.
fn sequencer(lines: &str) -> (Arc<RunningLog>, Sequencer<u32>) {
    over(Arc::default(), lines)
}

/// The same over these objects.
fn over(objects: Arc<MemoryObjects>, lines: &str) -> (Arc<RunningLog>, Sequencer<u32>) {
    let Offline { store, writer, .. } = Offline::start(Box::new(MemoryHeadStore::default()), objects).unwrap();
    let log = Arc::new(RunningLog {
        origin: ORIGIN.parse().unwrap(),
        settings: RwLock::new(Arc::new(settings(lines))),
        keys: signer().keys(),
        clock: Arc::new(ManualClock::at(START.as_secs())),
        prover: Prover::new(&store),
        index: writer.index.clone(),
        manifests: Manifests::new(&store),
        lookup: Box::new(Unasked),
        status: Arc::default(),
        lost_manifests: Mutex::default(),
        registry: Arc::default(),
        newest: Arc::default(),
        published: RwLock::default(),
        accepted_under: RwLock::default(),
        stopping: AtomicBool::new(false),
        store,
    });
    let cosigning = Cosigning::new(&log.settings().policy, &log.status);
    let sequencer = Sequencer::new(&log, writer, cosigning, Vec::new(), VecDeque::new());
    (log, sequencer)
}

fn with_witness() -> (Arc<RunningLog>, Sequencer<u32>) {
    sequencer(&format!("witness w1 {} https://w1.example\nquorum w1\n", witness().verifier()))
}

fn submitted(name: &str, to: u32) -> Event<u32> {
    let Parsed { entry, leaf, keys } = Parsed::of(claim(name, 1).bytes()).unwrap();
    let Entry::Statement(signed) = entry else { panic!("no statement") };
    Event::Submitted(Box::new(Submission { signed, leaf, keys, files: FileDigestIndex::default(), manifest: None }), to)
}

/// The request among the actions, and the replies.
fn sorted(actions: Vec<Action<u32>>) -> (Vec<WitnessRequest>, Vec<(u32, String)>, bool) {
    let (mut requests, mut replies, mut finished) = (Vec::new(), Vec::new(), false);
    for action in actions {
        match action {
            Action::Ask(request) => requests.push(request),
            Action::Reply(to, Reply::Logged { position, known }) => replies.push((to, format!("{position} {known}"))),
            Action::Reply(to, Reply::Refused(refusal)) => replies.push((to, refusal.code().to_owned())),
            Action::Reply(to, Reply::Unavailable(error)) => replies.push((to, error.code().to_owned())),
            Action::Sync(_) => {}
            Action::Finish => finished = true,
        }
    }
    (requests, replies, finished)
}

fn replies(actions: Vec<Action<u32>>) -> Vec<(u32, String)> {
    sorted(actions).1
}

fn request(actions: Vec<Action<u32>>) -> WitnessRequest {
    sorted(actions).0.pop().unwrap()
}

fn answer(to: &WitnessRequest, outcome: Result<(), Problem>) -> Event<u32> {
    let lines = |head: &Arc<SignedCheckpoint>| {
        vec![cosign(head.note.text(), &witness(), UnixTime::new(1_800_000_000).unwrap()).unwrap()]
    };
    let cosigned = to.head.as_ref().filter(|_| !to.recall).map(lines).unwrap_or_default();
    Event::Answered(WitnessAnswer { round: to.round, witness: 0, outcome: outcome.map(|()| cosigned), head: None })
}

fn size(log: &RunningLog) -> Option<u64> {
    log.published().map(|published| published.size())
}

#[test]
fn a_batch_closes_when_its_time_is_over_and_no_submission_waits() {
    let (log, mut sequencer) = sequencer("quorum none\n");
    assert_eq!(sequencer.wake_at(START), Some(START));
    sequencer.step(START, Event::Idle);
    assert_eq!(size(&log), Some(1));
    assert!(replies(sequencer.step(START, submitted("a.example", 1))).is_empty());
    assert_eq!(sequencer.wake_at(START), Some(after(10)));
    assert!(sequencer.step(after(5), Event::Idle).is_empty());
    // Late, and taken all the same: it waited already.
    assert!(sequencer.accepts(after(10)));
    assert!(sequencer.step(after(10), submitted("b.example", 2)).is_empty());
    let answered = replies(sequencer.step(after(10), Event::Idle));
    assert_eq!(answered, [(1, "1 false".into()), (2, "2 false".into())]);
    assert_eq!(size(&log), Some(4));
    // Known: nothing is written.
    sequencer.step(after(20), submitted("a.example", 3));
    assert_eq!(replies(sequencer.step(after(30), Event::Idle)), [(3, "1 true".into())]);
    assert_eq!(size(&log), Some(4));
    // What was put is synced once, beside everything else.
    assert_eq!(sequencer.wake_at(after(30)), Some(after(1000)));
    let actions = sequencer.step(after(1000), Event::Idle);
    assert!(matches!(actions[..], [Action::Sync(_)]), "{actions:?}");
    assert!(sequencer.step(after(1010), Event::Idle).is_empty(), "one at a time");
    // Two batches, and the checkpoint of each.
    assert_eq!(log.store.objects().staged().unwrap().len(), 4);
    assert!(sequencer.step(after(1020), Event::Synced(Ok(4))).is_empty());
    assert!(log.store.objects().staged().unwrap().is_empty());
    // A quiet log is renewed, and does not grow.
    let renew = sequencer.wake_at(after(30)).unwrap();
    assert_eq!(renew, after(10) + Duration::from_secs(600));
    assert_eq!(request(sequencer.step(renew, Event::Idle)).head.unwrap().checkpoint.size(), 4);
    // Its new checkpoint is synced as those before were.
    let synced = renew + Duration::from_secs(1);
    assert_eq!(sequencer.wake_at(renew), Some(synced));
    assert!(matches!(sequencer.step(synced, Event::Idle)[..], [Action::Sync(_)]));
    sequencer.step(synced, Event::Synced(Ok(5)));
    assert!(log.store.objects().staged().unwrap().is_empty());
    assert_eq!(sequencer.wake_at(synced), Some(renew + Duration::from_secs(600)));
    let renew = synced;
    // To stop: what waits is still taken, then it ends.
    assert!(sequencer.step(renew, Event::Stop).is_empty());
    sequencer.step(renew, submitted("c.example", 4));
    let closes = sequencer.wake_at(renew).unwrap();
    let (_, answered, finished) = sorted(sequencer.step(closes, Event::Idle));
    assert_eq!((answered, finished), (vec![(4, "4 false".into())], false));
    assert_eq!(sequencer.wake_at(closes), Some(closes));
    assert!(sorted(sequencer.step(closes, Event::Idle)).2);
    assert_eq!(log.status.writer(), WriterState::Finished);
}

#[test]
fn nothing_is_signed_before_the_witnesses_were_asked_and_nothing_new_below_the_quorum() {
    let (log, mut sequencer) = with_witness();
    let asked = request(sequencer.step(START, Event::Idle));
    assert!(asked.recall && asked.head.is_none());
    assert_eq!(replies(sequencer.step(START, submitted("a.example", 1))), [(1, "asking-witnesses".into())]);
    sequencer.step(START, answer(&asked, Err(Problem::Status { status: 500 })));
    assert!(matches!(log.status.writer(), WriterState::Asking { .. }));
    assert_eq!(sequencer.wake_at(START), Some(after(200)));
    let asked = request(sequencer.step(after(200), Event::Idle));
    let first = request(sequencer.step(after(200), answer(&asked, Ok(()))));
    assert_eq!((first.recall, size(&log)), (false, None));
    sequencer.step(after(300), answer(&first, Ok(())));
    assert_eq!(size(&log), Some(1));

    sequencer.step(after(300), submitted("a.example", 2));
    let mut asked = request(sequencer.step(after(310), Event::Idle));
    assert!(!sequencer.accepts(after(310)), "the next batch waits");
    // It fails again and again: its submitter waits so long, and no longer.
    let mut now = after(310);
    let told = loop {
        let mut actions = sequencer.step(now, answer(&asked, Err(Problem::Status { status: 500 })));
        now = sequencer.wake_at(now).unwrap();
        actions.extend(sequencer.step(now, Event::Idle));
        let (requests, replies, _) = sorted(actions);
        asked = requests.into_iter().next().unwrap_or(asked);
        if !replies.is_empty() {
            break replies;
        }
    };
    assert_eq!(told, [(2, "quorum-missing".into())]);
    assert!((after(10_310)..after(10_400)).contains(&now), "{now:?}");
    assert_eq!(size(&log), Some(1));
    let now = sequencer.wake_at(now).unwrap();
    assert!(sequencer.accepts(now - Duration::from_millis(1)));
    assert_eq!(
        replies(sequencer.step(now - Duration::from_millis(1), submitted("b.example", 3))),
        [(3, "quorum-missing".into())]
    );
    let asked = request(sequencer.step(now, Event::Idle));
    sequencer.step(now, answer(&asked, Ok(())));
    assert_eq!(size(&log), Some(3));
    sequencer.step(now, submitted("a.example", 4));
    assert_eq!(replies(sequencer.step(now + Duration::from_millis(10), Event::Idle)), [(4, "1 true".into())]);
}

#[test]
fn a_batch_that_was_put_while_a_sync_was_under_way_stays_staged_until_the_next() {
    let (log, mut sequencer) = sequencer("quorum none\n");
    let staged = || log.store.objects().staged().unwrap().len();
    sequencer.step(START, Event::Idle);
    assert!(matches!(sequencer.step(after(1000), Event::Idle)[..], [Action::Sync(2)]));
    sequencer.step(after(1000), submitted("a.example", 1));
    sequencer.step(after(1010), Event::Idle);
    assert_eq!(staged(), 4);
    sequencer.step(after(1500), Event::Synced(Ok(2)));
    assert_eq!(staged(), 2, "those that the sync may have missed");
    assert_eq!(sequencer.wake_at(after(1500)), Some(after(2500)));
    sequencer.step(after(2500), Event::Idle);
    sequencer.step(after(2600), Event::Synced(Ok(4)));
    assert_eq!(staged(), 0);
}

#[test]
fn a_batch_whose_tiles_a_sync_covered_and_whose_checkpoint_it_did_not_leaves_the_checkpoint_staged() {
    let (log, mut sequencer) = with_witness();
    let asked = request(sequencer.step(START, Event::Idle));
    let first = request(sequencer.step(START, answer(&asked, Ok(()))));
    // The tiles of the first tree are public; its checkpoint waits for a witness when the sync begins.
    assert!(matches!(sequencer.step(after(1000), Event::Idle)[..], [Action::Sync(1)]));
    sequencer.step(after(1100), answer(&first, Ok(())));
    assert_eq!(size(&log), Some(1));
    sequencer.step(after(1200), Event::Synced(Ok(1)));
    let staged = log.store.objects().staged().unwrap();
    assert!(matches!(&staged[..], [name] if name.ends_with(".checkpoint")), "{staged:?}");
    sequencer.step(after(2200), Event::Idle);
    sequencer.step(after(2300), Event::Synced(Ok(2)));
    assert!(log.store.objects().staged().unwrap().is_empty());
}

#[test]
fn a_sync_that_fails_stops_the_writer_for_good_and_forgets_nothing() {
    let (log, mut sequencer) = sequencer("quorum none\n");
    sequencer.step(START, Event::Idle);
    sequencer.step(after(1000), Event::Idle);
    let failed = log.store.objects().no_room();
    assert!(sequencer.step(after(1100), Event::Synced(Err(failed))).is_empty());
    assert!(matches!(log.status.writer(), WriterState::Stopped { .. }), "{:?}", log.status.writer());
    assert_eq!(replies(sequencer.step(after(1200), submitted("a.example", 1))), [(1, "writer-stopped".into())]);
    assert!(sorted(sequencer.step(after(1300), Event::Stop)).2);
    assert_eq!(log.store.objects().staged().unwrap().len(), 2, "the next start puts it again");
}

#[test]
fn a_batch_is_closed_by_its_bytes() {
    let (_, mut sequencer) = sequencer("quorum none\n");
    sequencer.step(START, Event::Idle);
    let Event::Submitted(mut submission, to) = submitted("a.example", 1) else { panic!() };
    submission.manifest = Some(SubmittedManifest::new(Digest::of(b""), vec![0; MAX_BATCH_BYTES]));
    let answered = replies(sequencer.step(START, Event::Submitted(submission, to)));
    assert_eq!(answered, [(1, "1 false".into())], "it waits for nothing");
}

#[test]
fn a_log_at_rest_is_well_again_when_there_is_room_and_its_checkpoint_was_renewed() {
    let objects = Arc::new(MemoryObjects::default());
    let (log, mut sequencer) = over(objects.clone(), "quorum none\n");
    sequencer.step(START, Event::Idle);
    objects.set_free(0);
    sequencer.step(START, submitted("a.example", 1));
    assert_eq!(replies(sequencer.step(after(10), Event::Idle)), [(1, "memory".into())]);
    assert!(log.status.unwritten().is_some());

    // A checkpoint is small: that it was written says nothing of a batch while the room is short.
    let rules = Rules { min_free_bytes: 1 << 20, ..settings("quorum none\n").rules };
    log.set_settings(Arc::new(Settings { rules, ..settings("quorum none\n") }));
    let mut renew = || {
        let now = sequencer.wake_at(after(20)).unwrap();
        sequencer.step(now, Event::Idle);
        sequencer.step(now + Duration::from_secs(1), Event::Idle);
        sequencer.step(now + Duration::from_secs(1), Event::Synced(Ok(9)));
    };
    renew();
    assert!(log.status.unwritten().is_some());
    objects.set_free(1 << 30);
    renew();
    assert_eq!(log.status.unwritten(), None);
}

/// A step over the statements must fit into one request to an index cosigner.
#[test]
fn a_batch_is_closed_by_the_bytes_of_its_statements() {
    let (signed, _) = release("a.example", 1, "long", 1);
    let Statement::Release(mut long) = signed.statement().clone() else { panic!("no release") };
    let host = long.hosts[0].clone();
    let locator = |number| format!("https://h{number}.example/{}", "a".repeat(900)).parse().unwrap();
    long.hosts = (0..MAX_HOSTS).map(|number| Host { locator: locator(number), ..host.clone() }).collect();
    let long = sign(&Statement::Release(long), &key(1)).unwrap();
    let submitted = |to| {
        let Parsed { entry, leaf, keys } = Parsed::of(long.bytes()).unwrap();
        let Entry::Statement(signed) = entry else { panic!("no statement") };
        let (files, manifest) = (FileDigestIndex::default(), None);
        Event::Submitted(Box::new(Submission { signed, leaf, keys, files, manifest }), to)
    };
    let (_, mut sequencer) = sequencer("quorum none\n");
    sequencer.step(START, Event::Idle);
    let most = MAX_STATEMENT_BYTES.div_ceil(long.bytes().len());
    assert!(most < BatchRule::default().max_entries, "{most}");
    for number in 1..most {
        assert!(replies(sequencer.step(START, submitted(number as u32))).is_empty(), "{number}");
    }
    assert_eq!(replies(sequencer.step(START, submitted(0))).len(), most, "it waits for nothing");
}

#[test]
fn who_waits_below_the_quorum_is_answered_at_once_when_the_log_stops() {
    let (log, mut sequencer) = with_witness();
    let asked = request(sequencer.step(START, Event::Idle));
    let first = request(sequencer.step(START, answer(&asked, Ok(()))));
    sequencer.step(START, answer(&first, Ok(())));
    sequencer.step(START, submitted("a.example", 1));
    let asked = request(sequencer.step(after(10), Event::Idle));
    sequencer.step(after(20), answer(&asked, Err(Problem::Status { status: 500 })));
    let (_, answered, finished) = sorted(sequencer.step(after(30), Event::Stop));
    assert_eq!((answered, finished), (vec![(1, "stopping".into())], true));
    assert_eq!(size(&log), Some(1));
}

#[test]
fn a_larger_head_of_this_log_stops_the_writer() {
    let (log, mut sequencer) = with_witness();
    let asked = request(sequencer.step(START, Event::Idle));
    let larger = Checkpoint::new(ORIGIN.parse().unwrap(), 99, RootHash::from_bytes([7; 32]));
    let head = Some(Arc::new(SignedCheckpoint::sign(larger, &signer()).unwrap()));
    let shown = WitnessAnswer { round: asked.round, witness: 0, outcome: Ok(Vec::new()), head };
    assert!(sequencer.step(START, Event::Answered(shown)).is_empty());
    assert!(matches!(log.status.writer(), WriterState::Stopped { code: "backup-restored", .. }));
    assert_eq!(replies(sequencer.step(START, submitted("a.example", 1))), [(1, "backup-restored".into())]);
    assert_eq!(size(&log), None);
    assert!(sorted(sequencer.step(START, Event::Stop)).2);
    assert!(matches!(log.status.writer(), WriterState::Stopped { .. }));
}

/// The two witnesses' lines of a policy; the second is the one whose key is `[5; 32]`.
fn second() -> SignerKey {
    SignerKey::new("w2.example".parse().unwrap(), KeyType::Cosigner, [5; 32])
}

#[test]
fn a_new_policy_is_met_by_its_own_witnesses_and_answers_to_the_old_ones_rounds_are_not_heard() {
    let (log, mut sequencer) = with_witness();
    let asked = request(sequencer.step(START, Event::Idle));
    let first = request(sequencer.step(START, answer(&asked, Ok(()))));
    sequencer.step(START, answer(&first, Ok(())));
    assert_eq!(size(&log), Some(1));

    let lines = format!("witness w2 {} https://w2.example\nquorum w2\n", second().verifier());
    let changed = Event::Changed { settings: Arc::new(settings(&lines)), without: Vec::new() };
    let before = log.published().unwrap().note().to_bytes();
    let renewed = request(sequencer.step(after(10), changed));
    assert_eq!(renewed.head.as_ref().unwrap().checkpoint.size(), 1, "the published head is offered at once");
    assert!(log.verify_checkpoint(&before).is_err(), "until then it is too little for the new policy");
    // The old witness's answer came late, and stands at a place that another witness has now.
    sequencer.step(after(20), answer(&first, Ok(())));
    assert!(log.verify_checkpoint(&log.published().unwrap().note().to_bytes()).is_err());
    let line = cosign(renewed.head.unwrap().note.text(), &second(), UnixTime::new(1_800_000_001).unwrap()).unwrap();
    let answer = WitnessAnswer { round: renewed.round, witness: 0, outcome: Ok(vec![line]), head: None };
    sequencer.step(after(30), Event::Answered(answer));
    let published = log.published().unwrap();
    assert_eq!(published.witnesses().len(), 1);
    assert!(log.verify_checkpoint(&published.note().to_bytes()).is_ok());
    assert!(log.status.witnesses().keys().all(|name| name == "w2.example"), "{:?}", log.status.witnesses());
}

#[test]
fn a_head_that_waits_for_its_quorum_is_offered_to_the_witnesses_of_a_mended_policy() {
    let (log, mut sequencer) = with_witness();
    let asked = request(sequencer.step(START, Event::Idle));
    let first = request(sequencer.step(START, answer(&asked, Ok(()))));
    sequencer.step(START, answer(&first, Ok(())));
    sequencer.step(START, submitted("a.example", 1));
    let asked = request(sequencer.step(after(10), Event::Idle));
    sequencer.step(after(20), answer(&asked, Err(Problem::Status { status: 500 })));
    assert!(matches!(log.status.writer(), WriterState::BelowQuorum { .. }));
    let changed = Event::Changed { settings: Arc::new(settings("quorum none\n")), without: Vec::new() };
    assert_eq!(replies(sequencer.step(after(30), changed)), [(1, "1 false".into())]);
    assert_eq!(size(&log), Some(3));
}

/// A lock that another run may take.
#[derive(Debug)]
struct Contended {
    is_taken: Arc<AtomicBool>,
}

#[derive(Debug, thiserror::Error)]
#[error("another run has it")]
struct Taken;

impl stele_explain::Explain for Taken {
    stele_explain::explain! {
        Self => stele_explain::Exit::Locked, "overtaken";
    }
}

impl HeadStore for Contended {
    fn load(&self) -> Result<Option<Vec<u8>>, HeadError> {
        Ok(None)
    }

    fn compare_and_swap(&self, _: Option<&[u8]>, _: &[u8]) -> Result<(), HeadError> {
        Ok(())
    }

    fn check_held(&self) -> Result<(), HeadError> {
        if self.is_taken.load(Ordering::SeqCst) { Err(HeadError::new(HeadErrorKind::Conflict, Taken)) } else { Ok(()) }
    }

    fn excludes_others(&self) -> bool {
        false
    }
}

#[test]
fn a_writer_at_rest_looks_at_the_lock_where_another_run_can_take_it() {
    let (log, mut sequencer) = sequencer("quorum none\n");
    sequencer.step(START, Event::Idle);
    sequencer.step(after(1000), Event::Idle);
    // In files nobody else can, and nothing is looked at before the checkpoint is renewed.
    assert_eq!(sequencer.wake_at(after(1000)), Some(after(600_000)));
    let is_taken = Arc::new(AtomicBool::new(false));
    sequencer.writer.heads = Box::new(Contended { is_taken: is_taken.clone() });
    sequencer.look_at = Some(after(5000));
    assert_eq!(sequencer.wake_at(after(1000)), Some(after(5000)));
    assert!(sequencer.step(after(5000), Event::Idle).is_empty());
    assert_eq!(log.status.writer(), WriterState::Running);
    is_taken.store(true, Ordering::SeqCst);
    // Who collects a batch learns it from the signature.
    sequencer.step(after(5100), submitted("a.example", 1));
    assert!(!sequencer.is_at_rest() && !sequencer.is_stopped());
    sequencer.step(after(5110), Event::Idle);
    sequencer.look_at = Some(after(6000));
    sequencer.step(after(7000), Event::Idle);
    assert!(sequencer.is_stopped() && matches!(log.status.writer(), WriterState::Stopped { code: "overtaken", .. }));
    assert_eq!(replies(sequencer.step(after(7001), submitted("b.example", 2))), [(2, "writer-stopped".into())]);
}
