//! The verdict for a script: the same data as the page, and the same keys where there is no verdict.

use serde_json::{Map, Value, json};
use stele_explain::Exit;
use stele_explain::Failure;
use stele_log_client::age;
use stele_log_client::judgement::Judgement;
use stele_log_client::log_end::LogEnd;
use stele_log_client::moment::moment;
use stele_model_files::examine::ComputedClaims;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::statement::Release;
use stele_spec::verify::{FolderReport, Scope, WeightsState};

use super::headline;
use super::known::VerifyReport;
use crate::artifact::ArtifactSeen;
use crate::digest_cache;
use crate::recorded_signature::RecordedSignature;
use crate::render::carried_manifest::CarriedManifest;
use crate::render::claims;
use crate::render::lifecycle;
use crate::render::lineage_drawing;

/// What is true of every document: the verdict in a word, whether a script may go on, and every problem by its name.
fn judged_fields(word: &str, problems: &[Failure], accepted: &[&'static str]) -> Map<String, Value> {
    let first = problems.first().map(Failure::as_explain);
    let each = problems.iter().map(Failure::as_explain).map(
        |problem| json!({ "error": problem.code(), "exit": problem.exit().number(), "message": problem.to_string() }),
    );
    let mut document = Map::new();
    document.insert("verdict".into(), word.into());
    document.insert("ok".into(), problems.is_empty().into());
    document.insert("exit".into(), first.map_or(Exit::Ok, |first| first.exit()).number().into());
    document.insert("error".into(), first.map(|first| first.code()).into());
    document.insert("problems".into(), each.collect());
    document.insert("accepted".into(), accepted.into());
    document
}

/// The document of a release that there is no verdict on: with the keys of every other, so that a script can read it.
pub(crate) fn unverified(failure: &Failure) -> Value {
    let mut document = judged_fields("not-verified", std::slice::from_ref(failure), &[]);
    document.insert("headline".into(), format!("NOT VERIFIED  {}", failure.as_explain()).into());
    document.insert("coordinate".into(), Value::Null);
    document.insert("evidence".into(), Value::Null);
    document.insert(
        "publisher".into(),
        json!({
            "name": null, "key_id": null, "claimed_at_entry": null, "key_statements": null, "key_revoked_at_entry": null,
            "key_revocation_reason": null,
        }),
    );
    document.insert(
        "integrity".into(),
        json!({
            "bytes": null,
            "cached": { "files": 0, "bytes": 0, "since": null },
            "weights": { "state": "not looked at" },
            "tree": { "digest": null },
            "manifest": null,
            "log": { "origin": null, "entry": null, "tree_size": null, "root": null },
            "witnesses": { "cosigned": [], "of": null, "required": null },
        }),
    );
    for key in [
        "receipt",
        "artifact",
        "completeness",
        "availability",
        "openness",
        "release_safety",
        "computed",
        "lifecycle",
        "lineage",
    ] {
        document.insert(key.into(), Value::Null);
    }
    for key in ["log_end", "model_signature", "c2pa"] {
        document.insert(key.into(), Value::Null);
    }
    document.insert(
        "as_of".into(),
        json!({ "time": null, "age_seconds": null, "ahead_seconds": null, "status": null, "newest_remembered": null }),
    );
    document.into()
}

/// The digest of the weights only where it was computed.
fn weights_json(comparison: Option<&FolderReport>, release: &Release) -> Value {
    let Some(FolderReport { weights, .. }) = comparison else { return json!({ "state": "not looked at" }) };
    let mut fields = json!({ "state": weights.state.as_str(), "files_here": weights.here, "files": weights.of });
    if let (WeightsState::Match, Some(fields)) = (weights.state, fields.as_object_mut()) {
        fields.insert("digest".into(), json!(release.weights.digest));
        fields.insert("bytes".into(), release.weights.bytes.into());
    }
    fields
}

impl VerifyReport<'_> {
    /// For a script.
    pub(crate) fn json(&self, judged: &Judgement) -> Value {
        let (evidence, head) = (self.evidence, self.evidence.checkpoint().trusted());
        let release = evidence.release();
        let kid = evidence.statement().value().kid();
        let revoked = self.release_status.signer_revoked(evidence);
        let cosigned = head.cosigned().iter().map(|cosigned| {
            json!({
                "witness": cosigned.witness,
                "key_name": cosigned.key_name.to_string(),
                "time": cosigned.time.map(|time| moment(time.seconds())),
            })
        });
        let mut document = judged_fields(judged.word.as_str(), &judged.problems, &judged.accepted);
        document.insert("headline".into(), headline::first_line(self, judged, |_, word| word.to_owned()).into());
        document.insert("coordinate".into(), release.coordinate().to_string().into());
        document.insert(
            "evidence".into(),
            json!({
                "from": if self.from_log.is_some() { "log" } else { "bundle" },
                "why": self.from_log.map(|from| from.why.as_str()),
                "url": self.from_log.map(|from| &from.url),
            }),
        );
        let receipt = |head: &TrustedCheckpoint| json!({ "tree_size": head.size(), "root": head.root().to_string() });
        document.insert("receipt".into(), self.receipt.map_or(Value::Null, receipt));
        document.insert("artifact".into(), self.artifact.map_or(Value::Null, ArtifactSeen::json));
        document.insert(
            "publisher".into(),
            json!({
                "name": release.publisher.name.to_string(),
                "key_id": kid.to_string(),
                "claimed_at_entry": evidence.key_history().claimed_at(),
                "key_statements": evidence.key_history().len(),
                "key_revoked_at_entry": revoked.as_ref().map(|revoked| revoked.entry),
                "key_revocation_reason": revoked.and_then(|revoked| revoked.reason),
            }),
        );
        document.insert(
            "integrity".into(),
            json!({
                "bytes": self.comparison.map(bytes_json),
                "cached": digest_cache::json(&self.cached),
                "weights": weights_json(self.comparison, release),
                "tree": { "digest": self.comparison.filter(|found| found.is_whole()).map(|_| release.tree.digest) },
                "manifest": release.manifest,
                "log": {
                    "origin": head.value().origin().to_string(),
                    "entry": evidence.statement().position(),
                    "tree_size": head.value().size(),
                    "root": head.value().root().to_string(),
                },
                "witnesses": {
                    "cosigned": cosigned.collect::<Vec<_>>(),
                    "of": self.policy.witnesses().len(),
                    "required": self.policy.quorum().least(),
                },
            }),
        );
        for (name, claim) in claims::json(self.release_status.history.current().unwrap_or(release)) {
            document.insert(name.into(), claim);
        }
        document.insert("completeness".into(), age::completeness_json(evidence, self.now));
        document.insert("computed".into(), self.examination.map(ComputedClaims::json).into());
        document.insert("lifecycle".into(), lifecycle::json(self.release_status));
        document.insert("lineage".into(), lineage_drawing::json(self.lineage));
        let mut as_of = self.age().json();
        if let Some(fields) = as_of.as_object_mut() {
            fields.insert("status".into(), age::status_json(self.release_status, self.now));
            let newest = self.newest.map(|head| {
                json!({
                    "tree_size": head.size(),
                    "root": head.checkpoint().root().to_string(),
                    "time": head.trusted().time().map(|time| moment(time.seconds())),
                })
            });
            fields.insert("newest_remembered".into(), newest.into());
        }
        document.insert("as_of".into(), as_of);
        document.insert("log_end".into(), self.log_end.map(LogEnd::json).into());
        let carried = self.carried.map(|carried| carried.iter().map(CarriedManifest::json).collect::<Vec<_>>());
        document.insert("c2pa".into(), carried.into());
        document.insert("model_signature".into(), self.signature.map(RecordedSignature::json).into());
        document.into()
    }
}

/// How many names of each kind the JSON holds.
const LISTED_JSON: usize = 1000;

fn bytes_json(comparison: &FolderReport) -> Value {
    let is_file = comparison.scope == Scope::File;
    let (scope, part) = match &comparison.scope {
        Scope::Whole => ("folder", None),
        Scope::Part(folder) => ("part", Some(folder)),
        Scope::File => ("file", None),
    };
    let names = |paths: &mut dyn Iterator<Item = String>| paths.take(LISTED_JSON).collect::<Vec<_>>();
    let differing: Vec<Value> = comparison
        .differing
        .iter()
        .take(LISTED_JSON)
        .map(|difference| {
            json!({
                "path": difference.path.to_string(),
                "expected": { "bytes": difference.expected.size, "sha256": difference.expected.sha256 },
                "found": { "bytes": difference.size, "sha256": difference.sha256 },
                "is": difference.cause.what(),
                "damaged": difference.damaged.iter().take(LISTED_JSON).map(|range| json!({ "from": range.start, "to": range.end })).collect::<Vec<_>>(),
            })
        })
        .collect();
    let unusable = comparison.unusable.iter().map(|odd| json!({ "path": odd.path, "problem": odd.why }));
    let unrecorded = comparison.unrecorded().into_iter();
    let unrecorded = unrecorded.map(|extra| json!({ "path": extra.path, "loaded_as": extra.role, "is": extra.what }));
    json!({
        "scope": scope,
        "part": part,
        "matching": comparison.matching.len(),
        "of": comparison.of,
        "bytes": comparison.bytes,
        "files": if is_file { names(&mut comparison.matching.iter().map(ToString::to_string)) } else { Vec::new() },
        "differing": differing,
        "unusable": unusable.take(LISTED_JSON).collect::<Vec<_>>(),
        "missing": names(&mut comparison.missing.iter().map(ToString::to_string)),
        "missing_count": comparison.missing.len(),
        "extra": names(&mut comparison.extra.iter().map(|extra| extra.path.clone())),
        "extra_count": comparison.extra.len(),
        "unrecorded": unrecorded.take(LISTED_JSON).collect::<Vec<_>>(),
        "unrecorded_count": comparison.unrecorded().len(),
        "allowed": names(&mut comparison.extra.iter().filter(|extra| extra.is_allowed).map(|extra| extra.path.clone())),
    })
}
