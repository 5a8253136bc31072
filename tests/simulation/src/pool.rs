//! What publishers submit: statements that are really signed, made once for all runs of a process.

use std::sync::{Arc, OnceLock};
use stele_probe::failure::Step;
use stele_samples::statements::Speaker;
use stele_spec::index::{Subject, subjects_of};
use stele_spec::name::Publisher;
use stele_spec::statement::{PublisherClaim, SignedStatement, Statement, sign};

/// How many publishers make releases, and how many statements there are of each.
const PUBLISHERS: (u64, usize) = (5, 5);

/// How many names are claimed only, so that logs grow without the weight of releases.
const NAMES: u64 = 260;

/// The first of the statements that only claim a name.
pub const CLAIMS: usize = PUBLISHERS.0 as usize * PUBLISHERS.1;

/// A statement, and what is submitted with it.
#[derive(Debug)]
pub struct Prepared {
    /// Its bytes.
    pub bytes: Arc<[u8]>,
    /// What it is listed under.
    pub subjects: Vec<Subject>,
    /// The manifest of a release.
    pub manifest: Option<Vec<u8>>,
}

/// Every statement that is submitted in any run: claims, releases, and what must be refused beside them (a name that another key holds, a
/// coordinate with other weights).
pub fn pool() -> &'static [Prepared] {
    static POOL: OnceLock<Vec<Prepared>> = OnceLock::new();
    POOL.get_or_init(|| make().expect("the samples are signed"))
}

/// What a reader may ask for: each subject of the pool once.
pub fn subjects() -> &'static [Subject] {
    static SUBJECTS: OnceLock<Vec<Subject>> = OnceLock::new();
    SUBJECTS.get_or_init(|| {
        let mut all: Vec<Subject> = Vec::new();
        for subject in pool().iter().flat_map(|prepared| &prepared.subjects) {
            if !all.contains(subject) {
                all.push(subject.clone());
            }
        }
        all
    })
}

fn make() -> Step<Vec<Prepared>> {
    let mut all = Vec::new();
    for number in 0..PUBLISHERS.0 {
        let speaker = Speaker::new(number)?;
        let thief = Speaker { name: speaker.name.clone(), key: Speaker::new(number + 100)?.key };
        all.push(alone(speaker.claim()?));
        for (version, seed) in [("1.0.0", 1), ("1.0.0", 2), ("1.1.0", 3)] {
            let released = speaker.release(version, 10 * number + seed)?;
            let manifest = Some(released.manifest.bytes().to_vec());
            all.push(Prepared { manifest, ..alone(released.statement) });
        }
        all.push(alone(thief.claim()?));
    }
    let speaker = Speaker::new(200)?;
    for number in 0..NAMES {
        let name: Publisher = format!("name-{number}.example").parse().expect("a name");
        let claim = PublisherClaim::new(name, "2026-06-25T12:00:00Z".parse().expect("a time"), &[speaker.key.public()]);
        all.push(alone(sign(&Statement::Publisher(claim), &speaker.key).expect("a claim is signed")));
    }
    Ok(all)
}

fn alone(signed: SignedStatement) -> Prepared {
    Prepared { subjects: subjects_of(&signed), bytes: signed.bytes().into(), manifest: None }
}
