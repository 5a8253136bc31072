//! `stele policy check`: what a policy requires, and whether one operator alone could meet it. `stele policy lint`: what it bears.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::policy::{FaultTolerance, MAX_COSIGNATURES, Policy, Quorum, counted_twice, operator};

use crate::Output;
use crate::args::{PolicyArgs, PolicyVerb};
use crate::policy_file;
use crate::render::page::Page;

pub(crate) fn run(args: PolicyArgs) -> Result<Output, Failure> {
    match args.verb {
        PolicyVerb::Check { file } => check(&file),
        PolicyVerb::Lint { file } => lint(&file),
    }
}

fn lint(file: &Path) -> Result<Output, Failure> {
    let loaded = policy_file::load(Some(file))?;
    let (policy, path) = (&loaded.policy, loaded.path.display());
    let (witnesses, operators) = (FaultTolerance::by_witness(policy), FaultTolerance::by_operator(policy));
    let mut warnings = warnings(policy);
    for (name, keys) in counted_twice(policy) {
        let keys = keys.join(" ");
        warnings
            .push(format!("the keys {keys} of {name} are counted one by one: `group NAME any {keys}` makes them one"));
    }
    if policy.quorum().least() > 0 {
        if witnesses.divides {
            warnings.push(
                "no witness has to lie: a lying log alone can show two histories, each to half of the witnesses: ask for more than half in `group`".to_owned(),
            );
        } else if witnesses.byzantine == Some(0) {
            warnings.push(
                "one lying witness is enough for a lying log to show two histories: ask for more witnesses in `group`"
                    .to_owned(),
            );
        }
        if operators.byzantine == Some(0) && witnesses.byzantine != Some(0) {
            warnings.push("one lying operator is enough for a lying log to show two histories".to_owned());
        }
        if witnesses.crashed == Some(0) {
            warnings.push("if one witness is down nothing is accepted".to_owned());
        } else if operators.crashed == Some(0) {
            warnings.push("if one operator is down nothing is accepted".to_owned());
        }
    }
    let mut page = Page::titled(&format!("{path}: {} of {}", number(witnesses.needed), count(witnesses.of, "witness")));
    for (of, bears) in [("witnesses", witnesses), ("operators", operators)] {
        page.row(of, &format!("{}, at least {} needed", bears.of, number(bears.needed)));
        // Where nothing is asked for, nothing that witnesses do matters.
        let asked = policy.quorum().least() > 0;
        let borne = |bears: Option<usize>| if asked { number(bears) } else { "all: none is asked for".to_owned() };
        let none = || "0, and none has to: the log alone can show two histories".to_owned();
        page.row("  may lie", &if asked && bears.divides { none() } else { borne(bears.byzantine) });
        page.row("  may be down", &borne(bears.crashed));
    }
    warnings.iter().for_each(|warning| page.row("warning", warning));
    let object = |bears: FaultTolerance| json!({ "of": bears.of, "needed": bears.needed, "may_lie": bears.byzantine, "log_alone_can_split": bears.divides, "may_be_down": bears.crashed });
    let json = json!({ "witnesses": object(witnesses), "operators": object(operators), "warnings": warnings });
    Ok(Output { text: page.0, json, failure: unmeetable(policy).map(Failure::from) })
}

fn number(number: Option<usize>) -> String {
    number.map_or_else(|| "not counted: too many to try".to_owned(), |number| number.to_string())
}

fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "es" })
}

fn check(file: &Path) -> Result<Output, Failure> {
    let loaded = policy_file::load(Some(file))?;
    let (policy, path) = (&loaded.policy, loaded.path.display());
    let warnings = warnings(policy);
    let requires = requirement(policy, policy.quorum());
    let mut page = Page::titled(&format!("{path} is a trust policy"));
    for log in policy.logs() {
        page.row("log", &format!("{} {}", log.key.name(), address(log.url.as_deref())));
    }
    for witness in policy.witnesses() {
        page.row("witness", &format!("{} {} {}", witness.name, witness.key.name(), address(witness.url.as_deref())));
    }
    page.row("requires", &requires);
    page.row("at least", &format!("{} of {} witnesses", policy.quorum().least(), policy.witnesses().len()));
    warnings.iter().for_each(|warning| page.row("warning", warning));
    let logs = policy
        .logs()
        .iter()
        .map(|log| json!({ "origin": log.key.name().to_string(), "vkey": log.key.to_string(), "url": log.url.as_deref().map(without_secrets) }));
    let witnesses = policy.witnesses().iter().map(|witness| {
        json!({ "name": witness.name, "vkey": witness.key.to_string(), "operator": operator(witness.key.name().as_str()), "url": witness.url.as_deref().map(without_secrets) })
    });
    Ok(Output {
        text: page.0,
        json: json!({
            "logs": logs.collect::<Vec<Value>>(),
            "witnesses": witnesses.collect::<Vec<Value>>(),
            "requires": requires,
            "least": policy.quorum().least(),
            "of": policy.witnesses().len(),
            "warnings": warnings,
        }),
        failure: unmeetable(policy).map(Failure::from),
    })
}

/// An address of the policy, as it may be shown.
fn address(url: Option<&str>) -> Cow<'_, str> {
    url.map_or("(no address)".into(), without_secrets)
}

/// A quorum that asks for more cosignatures than a checkpoint can carry.
#[derive(Debug, thiserror::Error)]
#[error("the quorum cannot be met: no checkpoint carries so many cosignatures")]
struct UnmeetableQuorum {
    least: usize,
}

fn unmeetable(policy: &Policy) -> Option<UnmeetableQuorum> {
    let least = policy.quorum().least();
    (least > MAX_COSIGNATURES).then_some(UnmeetableQuorum { least })
}

impl Explain for UnmeetableQuorum {
    explain! {
        Self { least, .. } => Exit::WrongPolicy, "quorum-unmeetable",
            hint: "lower the threshold of a group: more than that cannot be shown in one checkpoint",
            "expected": format!("a quorum of at most {MAX_COSIGNATURES} cosignatures"),
            "found": format!("one of at least {least}");
    }
}

/// What is legal and likely not meant.
fn warnings(policy: &Policy) -> Vec<String> {
    let mut warnings = Vec::new();
    let logs = policy.logs().iter().map(|log| (log.key.name().to_string(), log.url.as_deref()));
    let witnesses = policy.witnesses().iter().map(|witness| (witness.name.clone(), witness.url.as_deref()));
    for (name, url) in logs.chain(witnesses) {
        if let Some(url) = url.filter(|url| !(url.starts_with("https://") || url.starts_with("http://"))) {
            warnings.push(format!(
                "the address of {name}: expected https://... or http://..., found {}",
                without_secrets(url)
            ));
        }
    }
    for witness in policy.witnesses() {
        let own = policy.logs().iter().filter(|log| log.key.same_key(&witness.key));
        warnings.extend(own.map(|log| {
            let (witness, log) = (&witness.name, log.key.name());
            format!("witness {witness} has the key of the log {log}: it does not count for that log")
        }));
    }
    for (index, log) in policy.logs().iter().enumerate() {
        if policy.logs().iter().skip(index + 1).any(|other| other.key.name() == log.key.name()) {
            let name = log.key.name();
            warnings.push(format!("{name} has another key: make sure that both are one log's"));
        }
    }
    let count = policy.witnesses().len();
    if count > MAX_COSIGNATURES {
        warnings.push(format!(
            "{count} keys of witnesses, and a checkpoint carries {MAX_COSIGNATURES} cosignatures at most: some always miss"
        ));
    }
    if policy.logs().is_empty() {
        warnings.push("no log: every checkpoint is refused".to_owned());
    }
    if policy.quorum().least() == 0 {
        warnings.push("no cosignature is asked for: the log alone decides what you see".to_owned());
        return warnings;
    }
    let mut operators: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, witness) in policy.witnesses().iter().enumerate() {
        operators.entry(operator(witness.key.name().as_str())).or_default().push(index);
    }
    for (operator, indices) in &operators {
        if policy.quorum().is_met(&|index| indices.contains(&index)) {
            warnings.push(format!("{operator} alone meets the quorum: count operators, not keys"));
        }
        if policy.logs().iter().any(|log| self::operator(log.key.name().as_str()) == *operator) {
            warnings.push(format!("{operator} runs a log and a witness of it"));
        }
    }
    warnings
}

fn requirement(policy: &Policy, quorum: &Quorum) -> String {
    match quorum {
        Quorum::None => "nothing".to_owned(),
        Quorum::Witness(index) => {
            policy.witnesses().get(*index).map_or_else(String::new, |witness| witness.name.clone())
        }
        Quorum::Group { name, threshold, members } => {
            let members: Vec<_> = members.iter().map(|member| requirement(policy, member)).collect();
            format!("{name}: {threshold} of {} ({})", members.len(), members.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_spec::note::{KeyType, SignerKey};

    fn vkey(name: &str, seed: u8, key_type: KeyType) -> String {
        SignerKey::new(name.parse().unwrap(), key_type, [seed; 32]).verifier().to_string()
    }

    fn policy(witnesses: &[&str], rest: &str) -> Policy {
        let mut text = format!("log {}\n", vkey("log.example/a", 1, KeyType::Log));
        for (n, name) in (2..).zip(witnesses) {
            text += &format!("witness w{n} {}\n", vkey(name, n, KeyType::Cosigner));
        }
        Policy::parse((text + rest).as_bytes()).unwrap()
    }

    #[test]
    fn two_keys_of_one_operator_are_one_voice() {
        let policy = policy(&["one.example/a", "one.example/b", "two.example"], "group g 2 w2 w3 w4\nquorum g\n");
        assert_eq!(warnings(&policy), ["one.example alone meets the quorum: count operators, not keys"]);
        assert_eq!(requirement(&policy, policy.quorum()), "g: 2 of 3 (w2, w3, w4)");
    }

    #[test]
    fn an_address_without_a_scheme_a_policy_of_no_log_and_the_log_s_own_key_are_told() {
        let log = vkey("log.example/a", 1, KeyType::Log);
        let own = vkey("w.example", 1, KeyType::Cosigner);
        let other = vkey("v.example", 2, KeyType::Cosigner);
        let text = format!(
            "log {log} log.example\nwitness w {own} https://w.example/\nwitness v {other} v.example:80\ngroup g all w v\nquorum g\n"
        );
        let told = warnings(&Policy::parse(text.as_bytes()).unwrap());
        assert_eq!(
            told,
            [
                "the address of log.example/a: expected https://... or http://..., found log.example",
                "the address of v: expected https://... or http://..., found v.example:80",
                "witness w has the key of the log log.example/a: it does not count for that log",
            ]
        );
        let none = format!("witness v {other}\nquorum v\n");
        assert!(
            warnings(&Policy::parse(none.as_bytes()).unwrap())
                .contains(&"no log: every checkpoint is refused".to_owned())
        );
    }

    #[test]
    fn more_witnesses_than_a_checkpoint_carries_are_told_and_a_quorum_of_them_is_an_error() {
        let of = |count: usize, threshold: usize| {
            let names: Vec<_> = (0..count).map(|n| format!("o{n}.example")).collect();
            let members: Vec<_> = (2..count + 2).map(|n| format!("w{n}")).collect();
            let rest = format!("group g {threshold} {}\nquorum g\n", members.join(" "));
            policy(&names.iter().map(String::as_str).collect::<Vec<_>>(), &rest)
        };
        let told = |policy: &Policy| (warnings(policy), unmeetable(policy).map(|error| error.least));
        assert_eq!(told(&of(71, 71)), (vec![], None));
        let said = "72 keys of witnesses, and a checkpoint carries 71 cosignatures at most: some always miss";
        assert_eq!(told(&of(72, 71)), (vec![said.to_owned()], None));
        assert_eq!(told(&of(72, 72)), (vec![said.to_owned()], Some(72)));
        let error = UnmeetableQuorum { least: 72 };
        assert_eq!(error.exit(), Exit::WrongPolicy);
        assert!(error.facts().iter().any(|(_, fact)| fact.contains("at most 71")), "{:?}", error.facts());
    }

    #[test]
    fn no_quorum_and_the_log_as_its_own_witness_are_told() {
        assert_eq!(warnings(&policy(&[], "quorum none\n")).len(), 1);
        let own = policy(&["log.example/w", "two.example"], "group g all w2 w3\nquorum g\n");
        assert_eq!(warnings(&own), ["log.example runs a log and a witness of it"]);
    }
}
