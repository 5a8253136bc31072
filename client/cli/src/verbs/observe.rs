//! `stele observe`: compares what a host serves with a release, and says so, signed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use stele_durable as durable;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_host_check::observation;
use stele_host_check::{Bases, Comparison, HostLocation, HostMatch, HubClient};
use stele_log_client::log_url;
use stele_log_client::log_view::MAX_VERDICT_WAIT;
use stele_log_client::reader::{LogReader, StaticFiles, VerifiedLog, source_within};
use stele_monitor::host_round::{self, HostRound};
use stele_monitor::observer;
use stele_spec::merkle::leaf_hash;
use stele_spec::name::Coordinate;
use stele_spec::statement::{LoggedRelease, Observed, SignedStatement};
use stele_spec::status::History;
use stele_terminal::volume::note;

use crate::Output;
use crate::args::ObserveArgs;
use crate::key;
use crate::policy_file;
use crate::render::page::Page;

/// So many files beside the record are listed.
const SHOWN: usize = 20;
/// The largest list of positions.
const MAX_LISTED: u64 = 1 << 20;

#[derive(Deserialize)]
struct Positions {
    positions: Vec<u64>,
}

pub(crate) fn run(args: ObserveArgs) -> Result<Output, Failure> {
    // A name speaks, and its key signs; a key in the environment alone signs nothing.
    let key = match (&args.publisher, &args.key.key) {
        (Some(_), _) => Some(key::signer(&args.key)?),
        (None, Some(_)) => return Err(ObserveError::PublisherUnnamed.into()),
        (None, None) => None,
    };
    let loaded = policy_file::load(args.trust.policy.as_deref())?;
    let url = log_url::log_url(args.trust.log.as_deref(), Some(&loaded.policy))?;
    let reader = LogReader::new(source_within(&url, MAX_VERDICT_WAIT));
    let log = reader.open(reader.head(&loaded.policy)?)?;
    let statements = statements(&reader, &log, &args.coordinate)?;
    let history = History::fold(&args.coordinate, statements.iter().map(|(at, signed)| (*at, signed.statement())));
    let released = history.release().map(|(entry, _)| entry).zip(history.current());
    let missing = || ObserveError::Unreleased {
        coordinate: args.coordinate.clone(),
        origin: log.head().checkpoint().origin().to_string(),
    };
    let (entry, current) = released.ok_or_else(missing)?;
    let leaf = statements.get(&entry).map(|signed| leaf_hash(signed.bytes())).ok_or_else(missing)?;
    let release = LoggedRelease { coordinate: args.coordinate.clone(), entry, leaf_hash: leaf };
    let manifest = reader.manifest(current.manifest)?.ok_or(ObserveError::NoManifest)?;

    let mut recorded_places = current.hosts.iter().filter_map(|host| {
        let place = HostLocation::new(host.kind, host.locator.clone()).ok()?;
        place.is_same_as(&args.host).then_some((host, place))
    });
    let (recorded, place) = recorded_places.next().unzip();
    let place = place.unwrap_or_else(|| args.host.clone());
    let revision =
        args.revision.clone().or_else(|| recorded.and_then(|host| host.revision.as_ref()).map(ToString::to_string));
    let hubs = HubClient::new(Bases::new(args.base.iter().cloned().collect()));
    let looked = hubs.look(&place, revision.as_deref(), &manifest)?;
    let round = HostRound {
        release,
        origin: log.head().checkpoint().origin().to_string(),
        place,
        recorded: recorded.is_some(),
        looked: Ok(looked.clone()),
        news: true,
    };
    let result = observation::result(&looked, round.recorded);
    let lacks = looked.comparison.verdict == HostMatch::Lacks;
    let word = if lacks { looked.comparison.verdict.word().to_owned() } else { result.to_string() };
    let mut page = Page::titled(&format!("{}: {word}", args.coordinate));
    page.row("host", &round.place);
    if let Some(whole) = args.host.cut_from() {
        page.row("address", &format!("cut to the repository, from {whole}"));
    }
    page.maybe("revision", looked.revision.as_ref());
    page.row("files", &format!("{} of {} are as recorded", looked.comparison.matching, looked.comparison.of));
    for file in &looked.comparison.differing {
        let word = |digest: Option<_>| {
            digest.map_or_else(|| "nothing".to_owned(), |digest: stele_spec::statement::HostDigest| digest.to_string())
        };
        page.row(
            if file.found.is_some() { "differs" } else { "missing" },
            &format!("{}: expected {}, found {}", file.path, word(file.expected), word(file.found)),
        );
    }
    for file in looked.comparison.loadable.iter().take(SHOWN) {
        page.row("not in record", &format!("{}: {} ({})", file.path, file.effect, file.role));
    }
    if looked.comparison.loadable.len() > SHOWN {
        page.row("", &format!("and {} more that a loader would take", looked.comparison.loadable.len() - SHOWN));
    }
    for layer in &looked.comparison.not_compared {
        page.row("not compared", layer);
    }
    page.maybe("note", looked.note.as_ref());
    let mut document = host_round::details(&round, &looked, result);

    if let (Some(key), Some(publisher)) = (&key, &args.publisher) {
        let signed = observer::signed(&round, &looked, publisher, key)?;
        if let Some(path) = &args.output {
            durable::replace_file(path, signed.bytes())?;
            page.row("written", &path.display());
        }
        let position =
            args.submit.then(|| observer::submit(&signed, &url, &loaded.policy, args.wait, note)).transpose()?;
        page.maybe("logged", position.map(|position| format!("entry {position}, proven under the policy")).as_ref());
        if let Some(document) = document.as_object_mut() {
            document.insert("leaf_hash".into(), leaf_hash(signed.bytes()).to_string().into());
            document.insert("logged_at_entry".into(), json!(position));
        }
    }
    if let (Some(document), Some(whole)) = (document.as_object_mut(), args.host.cut_from()) {
        document.insert("cut_from".into(), whole.into());
    }
    let failure = failure(&looked.comparison, result, &round.place, args.coordinate).map(Into::into);
    Ok(Output { text: page.0, json: document, failure })
}

/// What was found, as an error: other bytes first, then what is missing, then what would be loaded beside the record, then other documents.
fn failure(found: &Comparison, result: Observed, place: &HostLocation, coordinate: Coordinate) -> Option<ObserveError> {
    let (place, documents) = (place.to_string(), found.only_documents_differ());
    let missing = found.missing().count();
    if found.verdict == HostMatch::Absent {
        return Some(ObserveError::Absent { place, coordinate });
    }
    if result == Observed::Differs && !documents {
        return Some(ObserveError::Differs { place, coordinate });
    }
    if missing > 0 {
        let first = found.missing().next().map(|file| file.path.clone()).unwrap_or_default();
        return Some(ObserveError::Lacks { place, coordinate, missing, of: found.of, first });
    }
    if let Some(first) = found.loadable.first() {
        let (count, first) = (found.loadable.len(), first.path.clone());
        return Some(ObserveError::ExtraLoadable { place, coordinate, count, first });
    }
    documents.then_some(ObserveError::DocumentsDiffer { place, coordinate, count: found.others().count() })
}

/// What the log lists under a coordinate, each entry read from its tiles: the log's word counts for the list alone.
fn statements(
    reader: &LogReader,
    log: &VerifiedLog<'_>,
    coordinate: &Coordinate,
) -> Result<BTreeMap<u64, SignedStatement>, Failure> {
    let positions = match reader.source() {
        StaticFiles::Http { .. } => {
            let path = format!("lookup/coordinate?name={}", coordinate.to_string().replace('#', "%23"));
            let listed = reader.source().needed(&path, MAX_LISTED)?;
            let Positions { positions } = serde_json::from_slice(&listed).map_err(|_| ObserveError::NoList)?;
            positions
        }
        StaticFiles::Folder(_) | StaticFiles::Handed(_) => (0..log.size()).collect(),
    };
    let mut found = BTreeMap::new();
    for position in positions {
        let Ok(signed) = SignedStatement::parse(&log.entry(position)?) else { continue };
        if signed.statement().coordinate().as_ref() == Some(coordinate) {
            found.insert(position, signed);
        }
    }
    Ok(found)
}

/// Why there is nothing to observe, or what was observed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ObserveError {
    /// A key and no name.
    #[error("--key signs for a name, and none is given")]
    PublisherUnnamed,
    /// No release.
    #[error("{coordinate} is not released in {origin}")]
    Unreleased {
        /// The coordinate.
        coordinate: Coordinate,
        /// The log.
        origin: String,
    },
    /// The manifest is not there.
    #[error("the log does not have the manifest of the release")]
    NoManifest,
    /// Not a list.
    #[error("the log's list of entries cannot be read")]
    NoList,
    /// Other documents.
    #[error(
        "{place} serves {} than {coordinate}; every file that the record calls weights is as recorded",
        match .count { 1 => "another document".to_owned(), count => format!("{count} other documents") }
    )]
    DocumentsDiffer {
        /// The host.
        place: String,
        /// The release.
        coordinate: Coordinate,
        /// How many.
        count: usize,
    },
    /// Files beside the record.
    #[error(
        "{place} has {} a loader would take, {first} first",
        match .count {
            1 => format!("a file beside {coordinate} that is not in the record and that"),
            count => format!("{count} files beside {coordinate} that are not in the record and that"),
        }
    )]
    ExtraLoadable {
        /// The host.
        place: String,
        /// The release.
        coordinate: Coordinate,
        /// How many.
        count: usize,
        /// One of them.
        first: String,
    },
    /// Nothing of the release.
    #[error("{place} has nothing of {coordinate}")]
    Absent {
        /// The host.
        place: String,
        /// The release.
        coordinate: Coordinate,
    },
    /// Not all of the release, and no other bytes but of documents.
    #[error("{place} lacks {missing} of the {of} files of {coordinate}, {first} first")]
    Lacks {
        /// The host.
        place: String,
        /// The release.
        coordinate: Coordinate,
        /// How many it does not have.
        missing: usize,
        /// Of how many.
        of: usize,
        /// One of them.
        first: String,
    },
    /// Other bytes.
    #[error("{place} serves other bytes than {coordinate}")]
    Differs {
        /// The host.
        place: String,
        /// The release.
        coordinate: Coordinate,
    },
}

impl Explain for ObserveError {
    explain! {
        Self::PublisherUnnamed => Exit::Usage, "publisher-unnamed", hint: "add --publisher NAME, which the key holds in this log; or leave out --key";
        Self::Unreleased { .. } => Exit::NotInLog, "not-in-log",
            hint: "is the coordinate right, and is this the log it is in?";
        Self::NoManifest => Exit::Unavailable, "manifest-missing",
            hint: "is this the address of a Stele log? A mirror must have its manifests too";
        Self::NoList => Exit::Unavailable, "log-answer-malformed",
            hint: "is this the address of a Stele log? A mirror must have its manifests too";
        Self::DocumentsDiffer { .. } => Exit::Findings, "host-documents-differ",
            hint: "a warning: compare the documents with those of the release; an honest host may edit a model card";
        Self::Absent { .. } => Exit::Incomplete, "host-absent",
            hint: "are the repository and the revision spelled as at the host? If so: what is under that name later is not this release until it verifies";
        Self::Lacks { .. } => Exit::Incomplete, "host-lacks",
            hint: "no file of it has other bytes; what is missing must come from another host of the release, and verify";
        Self::ExtraLoadable { .. } => Exit::Unrecorded, "extra-loadable",
            hint: "load a copy that has the recorded files alone, or ask the publisher to record these";
        Self::Differs { .. } => Exit::BytesDiffer, "host-differs",
            hint: "do not use what this host serves as this release";
    }
}
