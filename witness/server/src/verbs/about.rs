//! `about`, and what it shows of the witness and its logs.

use serde_json::json;
use stele_bastion::Reachability;
use stele_witness_core::held::held;
use stele_witness_core::signer::WitnessKeys;
use stele_witness_core::trusted_log::TrustedLog;

use super::VerbOutput;
use crate::config::ConfiguredLog;
use crate::error::WitnessError;
use crate::home::WitnessDir;
use crate::policy_line::policy_line;

/// Everything that is published of a witness.
pub(crate) fn about(home: &WitnessDir) -> Result<VerbOutput, WitnessError> {
    let own = home.keyring()?.own();
    let (name, keys, listen) = (own.name(), vkeys(&own, "vkey: "), &home.config().listen);
    let Reachability { urls, contact, .. } = home.reach()?;
    let reached: String = urls.iter().map(|url| format!("url: {url}\n")).collect();
    let reachable: String = contact.iter().map(|contact| format!("contact: {contact}\n")).collect();
    let mirror = home.mirror_keyring()?.map(|keyring| keyring.own());
    let copies = mirror.as_ref().map(|own| format!("mirror: {}\n{}", own.name(), vkeys(own, "mirror vkey: ")));
    let index = home.index_keyring()?.map(|(_, keyring)| keyring.own());
    let indexing = index.as_ref().map(|own| format!("index: {}\n{}", own.name(), vkeys(own, "index vkey: ")));
    let copies = copies.into_iter().chain(indexing).reduce(|one, other| one + &other);
    let (copies, list) = (copies.unwrap_or_default(), list(home));
    let evidence = held(&home.evidence_folder())?;
    let proofs: Vec<_> = evidence.iter().filter(|held| held.is_proof()).map(|held| &held.id).collect();
    let convicting: String = proofs.iter().map(|id| format!("evidence: {id}\n")).collect();
    let policy = policy_line(&own, &urls);
    let ready = policy.iter().map(|line| format!("policy: {line}\n")).collect::<String>();
    let text =
        format!("{ready}name: {name}\n{keys}listen: {listen}\n{reached}{reachable}{copies}logs:\n{list}{convicting}");
    let logs: Vec<_> = home.logs().iter().map(listed_json).collect();
    let object = json!({
        "policy": policy, "name": name.to_string(), "vkeys": vkeys_json(&own), "listen": listen, "urls": urls, "contact": contact,
        "logs": logs, "evidence": proofs,
        "mirror": mirror.map(|own| json!({"name": own.name().to_string(), "vkeys": vkeys_json(&own)})),
        "index": index.map(|own| json!({"name": own.name().to_string(), "vkeys": vkeys_json(&own)})),
    });
    Ok((text, object))
}

/// Where the second key may stand.
pub(crate) const SECOND_KEY: &str = "the second key (ML-DSA-44) can stand there in its place; both only in one group, such as `group w1 any a b`, so that \
     the witness counts once\n";

/// A line for each verifier key.
pub(crate) fn vkeys(own: &WitnessKeys, before: &str) -> String {
    own.keys().map(|key| format!("{before}{key}\n")).collect()
}

/// The same for programs.
pub(crate) fn vkeys_json(own: &WitnessKeys) -> Vec<String> {
    own.keys().map(ToString::to_string).collect()
}

/// A log of the config, for programs.
pub(crate) fn listed_json(listed: &ConfiguredLog) -> serde_json::Value {
    let mut object = log_json(&listed.log);
    if let Some(object) = object.as_object_mut() {
        object.insert("qpd".into(), listed.qpd.into());
        object.insert("disabled".into(), listed.disabled.into());
        object.insert("pull".into(), listed.pull.as_ref().map(|pull| pull.url.as_str()).into());
        object.insert("mirror".into(), listed.mirrored.into());
        object.insert("push".into(), listed.pushed.into());
        object.insert("index".into(), listed.indexed.into());
        object.insert("replay".into(), listed.replayed.into());
    }
    object
}

/// The logs of the config, for people.
pub(crate) fn list(home: &WitnessDir) -> String {
    let mut text = String::new();
    for ConfiguredLog { log, disabled, qpd, pull, mirrored, pushed, indexed, replayed, .. } in home.logs() {
        text += &format!("{}{}\n", log.origin(), if *disabled { " (disabled)" } else { "" });
        text.extend(log.keys().iter().map(|key| format!("  {key}\n")));
        text.extend(pull.iter().map(|pull| format!("  pulled from {}\n", pull.url)));
        text.extend(mirrored.then_some("  mirrored\n"));
        text.extend(pushed.then_some("  takes pushed entries\n"));
        text.extend(indexed.then_some("  its index is cosigned\n"));
        text.extend(replayed.then_some("  by replaying the copy\n"));
        text.extend(qpd.iter().map(|qpd| format!("  at most {qpd} a day\n")));
    }
    text
}

/// A log, for programs.
pub(crate) fn log_json(log: &TrustedLog) -> serde_json::Value {
    let keys: Vec<String> = log.keys().iter().map(ToString::to_string).collect();
    json!({"origin": log.origin().as_str(), "origin_hash": log.origin().digest().to_string(), "vkeys": keys})
}
