//! What `release.toml` may say in short: one decision for many fields that have the same answer.
//!
//! A short form is written out before the statement is made. What is signed has every field, as if a person had written each.
//!
//! | short | means |
//! |---|---|
//! | `[components]` `all-others = "no"` | the same of each component that is not named |
//! | `[components]` `datasets = "no"` | `[components.datasets]` `included = "no"` |
//! | `[not_evaluated]` `all-others = "why"` | the same reason for each dangerous domain without a reason and without a result |
//! | `[safety]` `report = "not_evaluated.all-others"` | `report = { none = ... }` with that reason |
//! | `[openness]` without `basis` and `class` | `basis = "none"` |
//! | `carries = ["license"]` in a parent | `true` for what is named, `false` for the rest |
//! | `made = "finetune by trl 0.19.0"` in a parent | `relation` and `tool`; `by none` where there was no tool |
//! | no `since` under `[access]` or `[[hosts]]` | the day of `issued_at` |
//! | no `gated` under `[[hosts]]` | `true` where access is not wider than `gated-download` |

use std::convert::Infallible;

use stele_spec::statement::{ComponentId, DangerousDomain, EvaluationClass, Included, Relation, Stage, Timestamp};
use toml::{Table, Value};

use crate::form::Form;
use crate::problems::Problems;

/// The name that stands for all that are not named.
pub const ALL_OTHERS: &str = "all-others";

/// What stands for the reason of all others, where no safety report is there for the same reason.
pub const SAME_REASON: &str = "not_evaluated.all-others";

/// The field of a parent that has its relation and the tool.
pub const MADE: &str = "made";

/// What may be carried on of a parent.
pub const CARRIED: [&str; 4] = ["license", "use_policy", "model_card", "risk_notes"];

/// Writes out everything but what follows from the time.
pub(crate) fn expand(form: &mut Form, problems: &mut Problems) {
    components(form, problems);
    not_evaluated(form, problems);
    expand_parents(form, problems);
    if form.has("openness.claim") && !form.has("openness.class") {
        form.default("openness.basis", "none");
    }
}

/// Writes out what follows from the time of the release: days, and what access says of hosts.
pub(crate) fn expand_days(form: &mut Form, now: Timestamp) {
    let issued_at = form.text("issued_at").map_or_else(|| now.to_string(), str::to_owned);
    let day = issued_at.split('T').next().unwrap_or_default().to_owned();
    if form.has("access.stage") {
        form.default("access.since", day.as_str());
    }
    let stage = form.text("access.stage").and_then(Stage::from_text);
    let Ok(()) = form.each::<Infallible>("hosts.*", |_, host| {
        if let Value::Table(host) = host {
            host.entry("since").or_insert(day.as_str().into());
            if let Some(stage) = stage {
                host.entry("gated").or_insert((stage <= Stage::GatedDownload).into());
            }
        }
        Ok(())
    });
}

fn components(form: &mut Form, problems: &mut Problems) {
    let Some(value) = form.take("components") else { return };
    let Value::Table(mut components) = value else { return form.default("components", value) };
    let others = components.remove(ALL_OTHERS);
    for (name, component) in &mut components {
        spread(component);
        if ComponentId::from_text(name).is_none() {
            let words = ComponentId::TEXTS.join(", ");
            let message = format!("components: {name}: expected {ALL_OTHERS} or one of {words}");
            problems.keep(Err::<(), _>(form.invalid(&format!("components.{name}"), message)));
        }
    }
    components.retain(|name, _| ComponentId::from_text(name).is_some());
    if let Some(mut others) = others {
        let at = format!("components.{ALL_OTHERS}");
        spread(&mut others);
        let word = others.get("included").and_then(Value::as_str).map(str::to_owned);
        if !word.as_deref().is_some_and(|word| Included::from_text(word).is_some() || word.starts_with("DECIDE")) {
            let found = word.map_or_else(|| others.to_string(), |word| format!("{word:?}"));
            let message = format!("{at}: expected one of {}, found {found}", Included::TEXTS.join(", "));
            problems.keep(Err::<(), _>(form.invalid(&at, message)));
            // The rest is looked at all the same.
            others = Table::from_iter([("included".to_owned(), Value::from(Included::No.as_str()))]).into();
        }
        for id in ComponentId::TEXTS {
            components.entry(*id).or_insert_with(|| others.clone());
        }
    }
    form.default("components", components);
}

/// A word becomes a component that says it.
fn spread(component: &mut Value) {
    if component.is_str() {
        let word = std::mem::replace(component, Table::new().into());
        if let Value::Table(table) = component {
            table.insert("included".into(), word);
        }
    }
}

fn not_evaluated(form: &mut Form, problems: &mut Problems) {
    let same = form.text("safety.report").map(str::to_owned);
    let others = match form.take("not_evaluated") {
        None => None,
        Some(Value::Table(mut reasons)) => {
            let others = reasons.remove(ALL_OTHERS);
            if let Some(others) = &others {
                let evaluated = evaluated(form);
                for domain in DangerousDomain::TEXTS.iter().filter(|domain| !evaluated.iter().any(|at| at == *domain)) {
                    reasons.entry(*domain).or_insert_with(|| others.clone());
                }
            }
            // A statement has no empty map.
            if !reasons.is_empty() {
                form.default("not_evaluated", reasons);
            }
            others
        }
        Some(other) => return form.default("not_evaluated", other),
    };
    match (same.as_deref(), others) {
        (Some(SAME_REASON), Some(reason)) => {
            let Ok(()) = form.each::<Infallible>("safety.report", |_, report| {
                *report = Table::from_iter([("none".to_owned(), reason.clone())]).into();
                Ok(())
            });
        }
        (Some(found), _) => {
            let message = format!(
                "safety.report: expected {{ name = \"...\" }}, {{ none = \"why\" }}, or \"{SAME_REASON}\" where that is given; \
                 found {found:?}"
            );
            problems.keep(Err::<(), _>(form.invalid("safety.report", message)));
            let Ok(()) = form.each::<Infallible>("safety.report", |_, report| {
                *report = Table::from_iter([("none".to_owned(), Value::from("x"))]).into();
                Ok(())
            });
        }
        (None, _) => {}
    }
}

/// The dangerous domains that have a result which speaks of them.
fn evaluated(form: &mut Form) -> Vec<String> {
    let mut domains = Vec::new();
    let Ok(()) = form.each::<Infallible>("evaluations.*", |_, evaluation| {
        let text = |name: &str| evaluation.get(name).and_then(Value::as_str);
        let class = text("class").and_then(EvaluationClass::from_text);
        if matches!(class, Some(EvaluationClass::DangerousCapability | EvaluationClass::Safety)) {
            domains.extend(text("domain").map(str::to_owned));
        }
        Ok(())
    });
    domains
}

/// Writes out how the model was made of its parents, and what is carried on of them.
pub(crate) fn expand_parents(form: &mut Form, problems: &mut Problems) {
    expand_made(form, problems);
    let before = form.clone();
    let Ok(()) = form.each::<Infallible>("lineage.*.carries", |path, carries| {
        let Value::Array(named) = carries else { return Ok(()) };
        let mut table = Table::from_iter(CARRIED.map(|name| (name.to_owned(), Value::from(false))));
        for name in named.iter() {
            let text = name.as_str().unwrap_or_default();
            match table.get_mut(text) {
                Some(carried) => *carried = true.into(),
                // What is still to be decided is said by its line.
                None if text.starts_with("DECIDE") => {}
                None => {
                    let message = format!("{path}: expected some of {}, found {name}", CARRIED.join(", "));
                    problems.keep(Err::<(), _>(before.invalid(path, message)));
                }
            }
        }
        *carries = table.into();
        Ok(())
    });
}

fn expand_made(form: &mut Form, problems: &mut Problems) {
    let before = form.clone();
    let Ok(()) = form.each::<Infallible>("lineage.*", |path, parent| {
        let Value::Table(parent) = parent else { return Ok(()) };
        let Some(made) = parent.remove(MADE) else { return Ok(()) };
        let at = format!("{path}.{MADE}");
        if let Some(both) = ["relation", "tool"].iter().find(|name| parent.contains_key(**name)) {
            let message =
                format!("{at}: expected either {MADE}, or relation and tool, found {both} beside it: remove one");
            problems.keep(Err::<(), _>(before.invalid(&at, message)));
        }
        let said = made.as_str().and_then(|made| made.split_once(" by "));
        let said = said.filter(|(relation, tool)| Relation::from_text(relation).is_some() && !tool.trim().is_empty());
        let is_open = made.as_str().is_some_and(|made| made.starts_with("DECIDE"));
        if said.is_none() && !is_open {
            let words = Relation::TEXTS.join(", ");
            let message = format!("{at}: expected \"RELATION by TOOL\", a relation of {words}; found {made}");
            problems.keep(Err::<(), _>(before.invalid(&at, message)));
        }
        // The rest is looked at all the same.
        let (relation, tool) = said.unwrap_or((Relation::Other.as_str(), "none"));
        parent.entry("relation").or_insert(relation.into());
        parent.entry("tool").or_insert(tool.trim().into());
        Ok(())
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields that a text means; nothing where it is refused.
    fn expanded(text: &str) -> Result<Table, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("release.toml");
        std::fs::write(&path, text).unwrap();
        let mut form = Form::read(&path, "a form").unwrap();
        let mut problems = Problems::default();
        expand(&mut form, &mut problems);
        expand_days(&mut form, "2026-07-01T08:00:00Z".parse().unwrap());
        match problems.iter().next() {
            Some(problem) => Err(problem.as_explain().to_string()),
            None => Ok(form.into_table()),
        }
    }

    #[test]
    fn what_is_no_short_form_is_refused_with_what_was_expected() {
        for (text, said) in [
            ("[components]\nall-others = \"none\"\n", "components.all-others: expected one of yes, partial, no"),
            ("[components]\nall-others = 1\n", "components.all-others: expected one of"),
            ("[components]\nall-other = \"no\"\n", "components: all-other: expected all-others or one of datasets"),
            ("[safety]\nreport = \"none\"\n", "safety.report: expected"),
            ("[safety]\nreport = \"not_evaluated.all-others\"\n", "where that is given"),
            ("[[lineage]]\ncarries = [\"licence\"]\n", "expected some of license, use_policy"),
            ("[[lineage]]\ncarries = [true]\n", "expected some of license"),
            ("[[lineage]]\nmade = \"finetune\"\n", "lineage[0].made: expected \"RELATION by TOOL\""),
            ("[[lineage]]\nmade = \"trained by trl\"\n", "a relation of finetune, adapter"),
            ("[[lineage]]\nmade = \"finetune by \"\n", "expected \"RELATION by TOOL\""),
            ("[[lineage]]\nmade = 1\n", "found 1"),
            ("[[lineage]]\nmade = \"finetune by trl\"\ntool = \"trl\"\n", "found tool beside it"),
        ] {
            let refused = expanded(text).unwrap_err();
            assert!(refused.contains(said), "{text}: {refused}");
        }
    }

    #[test]
    fn one_answer_for_all_others_leaves_what_is_named_as_it_is() {
        let text = "[components]\nall-others = \"no\"\ntraining-code = \"partial\"\n\
                    [components.datasets]\nincluded = \"yes\"\nref = \"https://acme.example/d\"\n";
        let form = expanded(text).unwrap();
        let components = form["components"].as_table().unwrap();
        assert_eq!(components.len(), ComponentId::TEXTS.len());
        let included = |id: &str| components[id]["included"].as_str().unwrap();
        assert_eq!((included("datasets"), included("training-code"), included("data-card")), ("yes", "partial", "no"));
        assert_eq!(components["datasets"]["ref"].as_str(), Some("https://acme.example/d"));
        // Without it nothing is added: what is missing is refused as ever.
        assert_eq!(expanded("[components]\ndatasets = \"no\"\n").unwrap()["components"].as_table().unwrap().len(), 1);
    }

    #[test]
    fn a_domain_with_a_result_gets_no_reason() {
        let text = "[safety]\nreport = \"not_evaluated.all-others\"\n[not_evaluated]\nall-others = \"too small\"\n\
                    fraud = \"another reason\"\n[[evaluations]]\nclass = \"dangerous-capability\"\ndomain = \"cyber-abuse\"\n\
                    [[evaluations]]\nclass = \"capability\"\ndomain = \"surveillance\"\n";
        let form = expanded(text).unwrap();
        let reasons = form["not_evaluated"].as_table().unwrap();
        assert_eq!(reasons.len(), DangerousDomain::TEXTS.len() - 1);
        assert!(!reasons.contains_key("cyber-abuse") && reasons.contains_key("surveillance"));
        assert_eq!(reasons["fraud"].as_str(), Some("another reason"));
        assert_eq!(form["safety"]["report"]["none"].as_str(), Some("too small"));
    }

    #[test]
    fn days_and_gates_follow_from_the_time_and_the_stage_and_never_replace_what_is_said() {
        let of =
            |stage: &str| expanded(&format!("[access]\nstage = \"{stage}\"\n[[hosts]]\ntype = \"https\"\n")).unwrap();
        let open = of("open");
        assert_eq!(open["access"]["since"].as_str(), Some("2026-07-01"));
        assert_eq!(
            (open["hosts"][0]["since"].as_str(), open["hosts"][0]["gated"].as_bool()),
            (Some("2026-07-01"), Some(false))
        );
        assert_eq!(of("gated-download")["hosts"][0]["gated"].as_bool(), Some(true));
        let said = expanded(
            "issued_at = \"2026-06-25T00:00:00Z\"\n[access]\nstage = \"open\"\n[[hosts]]\nsince = \"2026-01-01\"\ngated = true\n",
        );
        let said = said.unwrap();
        assert_eq!(
            (said["access"]["since"].as_str(), said["hosts"][0]["since"].as_str()),
            (Some("2026-06-25"), Some("2026-01-01"))
        );
        assert_eq!(said["hosts"][0]["gated"].as_bool(), Some(true));
    }

    #[test]
    fn how_a_model_was_made_is_its_relation_and_the_tool() {
        let form = expanded("[[lineage]]\nmade = \"finetune by trl 0.19.0 by hand\"\n").unwrap();
        let said = |name: &str| form["lineage"][0].get(name).and_then(Value::as_str);
        assert_eq!(
            (said("relation"), said("tool"), said("made")),
            (Some("finetune"), Some("trl 0.19.0 by hand"), None)
        );
    }

    #[test]
    fn a_parent_carries_what_is_named_and_nothing_else() {
        let form = expanded("[[lineage]]\ncarries = [\"license\"]\n[openness]\nclaim = \"open-weight\"\n").unwrap();
        let carries = form["lineage"][0]["carries"].as_table().unwrap();
        assert_eq!(carries.iter().filter(|(_, value)| value.as_bool() == Some(true)).count(), 1);
        assert_eq!((carries.len(), form["openness"]["basis"].as_str()), (4, Some("none")));
    }
}
