//! What is exported, and what every format says of it.

use serde_json::{Map, Value, json};
use stele_log_client::moment::moment;
use stele_log_client::release_status::ReleaseStatus;
use stele_spec::hash::Digest;
use stele_spec::statement::{Reference, Release, Timestamp};
use stele_verify::VerifiedRelease;

/// What is exported: a release that was verified, and the bundle by which it was.
pub(crate) struct Subject<'a> {
    /// The release with what its log says.
    pub(crate) verified: &'a VerifiedRelease,
    /// What became of it, as far as that is known here.
    pub(crate) status: &'a ReleaseStatus,
    /// The release as its amendments have left it, as far as they are known here.
    pub(crate) release: &'a Release,
    /// The SHA-256 of the bundle.
    pub(crate) bundle: Digest,
    /// Everything that was said of it, in the order of the log, as it is written for scripts.
    pub(crate) events: Value,
    /// How many witnesses the policy knows.
    pub(crate) witnesses: usize,
}

impl Subject<'_> {
    /// Where it is in the log, and who saw it there: what the bundle proves.
    pub(super) fn log(&self) -> Value {
        let checkpoint = self.verified.checkpoint();
        json!({
            "origin": checkpoint.origin().as_str(),
            "entry": self.verified.entry_index(),
            "tree_size": checkpoint.size(),
            "root": checkpoint.root().to_string(),
            "witnesses": checkpoint.witnesses().iter().map(|cosigned| cosigned.witness.as_str()).collect::<Vec<_>>(),
            "time": self.time(),
            "bundle": { "name": BUNDLE, "sha256": self.bundle },
        })
    }

    /// What became of it, and up to when that is known.
    pub(super) fn status(&self) -> Value {
        let history = &self.status.history;
        let is_complete = self.status.is_complete() || self.verified.completeness().record().is_some();
        let withdrawn = history.withdrawal().map(|(entry, withdraw)| json!({ "entry": entry, "statement": withdraw }));
        let superseded = history.superseded_by().map(|(entry, by)| json!({ "entry": entry, "by": by }));
        let mut status = Map::from_iter([
            ("state".to_owned(), history.state().to_string().into()),
            (
                "as_of".to_owned(),
                self.status.head.time().map_or_else(|| self.time(), |time| moment(time.seconds())).into(),
            ),
            ("proven_complete".to_owned(), is_complete.into()),
        ]);
        status.extend(withdrawn.map(|withdrawn| ("withdrawn".to_owned(), withdrawn)));
        status.extend(superseded.map(|superseded| ("superseded".to_owned(), superseded)));
        if let Some(events) = self.events.as_array().filter(|events| !events.is_empty()) {
            status.insert("events".to_owned(), json!(events));
        }
        let revoked = self.status.revoked_signers();
        if !revoked.is_empty() {
            let revoked = revoked
                .into_iter()
                .map(|(revoked, signed)| json!({ "entry": revoked.entry, "reason": revoked.reason, "signed": signed }));
            status.insert("keys_revoked".to_owned(), revoked.collect());
        }
        let incidents = history.open_incidents();
        if !incidents.is_empty() {
            let incidents =
                incidents.into_iter().map(|(entry, incident)| json!({ "entry": entry, "statement": incident }));
            status.insert("incidents".to_owned(), incidents.collect());
        }
        status.into()
    }

    /// Where it is in the log, as a sentence, for formats that have comments.
    pub(super) fn proof_in_words(&self) -> String {
        let checkpoint = self.verified.checkpoint();
        format!(
            "the proof that this is entry {} of the log {}, in a tree of {} entries that {} of {} witnesses cosigned; \
             `stele verify` checks it, offline",
            self.verified.entry_index(),
            checkpoint.origin(),
            checkpoint.size(),
            checkpoint.witnesses().len(),
            self.witnesses,
        )
    }

    /// When all of it held: the time of the checkpoint, or where no witness cosigned it that of the statement. To the second, in UTC.
    pub(super) fn time(&self) -> String {
        let cosigned = self.verified.checkpoint().time();
        let time = cosigned.and_then(|time| Timestamp::from_unix_seconds(time.seconds()));
        time.unwrap_or(self.verified.release().issued_at).to_string()
    }

    /// A UUID that belongs to this bundle and to one use of it (RFC 9562, version 8).
    pub(super) fn uuid(&self, used_for: &str) -> String {
        let digest = *Digest::of(format!("{used_for}\n{}", self.bundle).as_bytes()).as_bytes();
        let [a, b, c, d, e, f, version, g, variant, h, i, j, k, l, m, n, ..] = digest;
        let (version, variant) = (version & 0x0F | 0x80, variant & 0x3F | 0x80);
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        [hex(&[a, b, c, d]), hex(&[e, f]), hex(&[version, g]), hex(&[variant, h]), hex(&[i, j, k, l, m, n])].join("-")
    }

    /// Where a document of the release is: at its address, or beside the document that is written.
    pub(super) fn place(reference: &Reference) -> String {
        match &reference.uri {
            Some(uri) => uri.to_string(),
            None => escaped(reference.name.as_str()),
        }
    }
}

/// The file that carries the proof, beside the weights.
pub(super) const BUNDLE: &str = stele_verify::folder::BUNDLE;

/// A relative path as a reference of RFC 3986: what is no unreserved character of it is escaped, `/` is not.
fn escaped(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
