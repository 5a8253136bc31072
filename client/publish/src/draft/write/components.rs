//! `[components]`: those of the folder by themselves, and one answer for all others.

use stele_spec::manifest::FilePath;
use stele_spec::statement::{ComponentId, Included};
use toml::Value;

use crate::draft::answers::Answers;
use crate::draft::facts::Facts;
use crate::draft::notes::no_weights;
use crate::form::{Answer, FormWriter, quoted};
use crate::short_forms::ALL_OTHERS;

/// What is known of one component.
enum Row {
    /// It is a file of the folder.
    File(String),
    /// It was answered before.
    Said(Answer),
    /// A person decides.
    Open(String),
    /// Here, in several files of which none stands for it.
    Folder,
    /// Nothing: the answer for all others holds.
    Other,
}

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts, answers: &Answers) {
    let mut rows: Vec<(ComponentId, Row)> = ComponentId::ALL.iter().map(|id| (*id, row(*id, facts, answers))).collect();
    sheet.section("components");
    sheet.comment(
        "What is included: yes, partial or no, of the 17 components of the Model Openness Framework and five more. Each may",
    );
    sheet.comment("have license, ref (a file here, or an address) and reason (why not, or only in part) under its own name, as in");
    sheet.comment("[components.training-code]. all-others is the answer for each that is not named below:");
    for names in ComponentId::TEXTS.chunks(7) {
        sheet.comment(&format!("  {}", names.join(", ")));
    }
    if rows.iter().any(|(_, row)| matches!(row, Row::Other)) {
        let answer = answers.sources().filter_map(|source| source.answer(&format!("components.{ALL_OTHERS}")));
        let answer = answer.into_iter().find(|answer| included(&answer.value).is_some());
        sheet.answer_or_decide(ALL_OTHERS, answer.as_ref(), "no, or yes or partial, for all that are not named below");
    } else if let Some(answer) = fold(&mut rows) {
        sheet.answered(ALL_OTHERS, &answer);
    }
    for (id, row) in &rows {
        if matches!(row, Row::Other) {
            continue;
        }
        sheet.section(&format!("components.{id}"));
        match row {
            Row::File(path) => {
                sheet.text("included", "yes", "the folder");
                sheet.text("ref", path, "");
            }
            Row::Folder => sheet.text("included", "yes", "the folder"),
            Row::Said(answer) => said(sheet, answer),
            Row::Open(why) => {
                if *id == ComponentId::ModelParametersFinal && facts.weights.is_empty() {
                    sheet.comment(&no_weights(facts));
                }
                sheet.line("included", &quoted(&format!("DECIDE: {why}")), "");
            }
            Row::Other => {}
        }
    }
}

fn row(id: ComponentId, facts: &Facts, answers: &Answers) -> Row {
    if id == ComponentId::ModelParametersFinal && facts.in_parts {
        return Row::Folder;
    }
    let file = match id {
        ComponentId::ModelParametersFinal => {
            // What macOS leaves beside a file, and the note says to delete, is not the weights.
            let is_left = |path: &&FilePath| path.file_name().starts_with("._");
            facts.weights.iter().find(|path| !is_left(path)).or(facts.weights.first())
        }
        ComponentId::ModelCard => facts.card_file.as_ref(),
        ComponentId::UsagePolicy => facts.use_policy.as_ref(),
        ComponentId::SystemPrompts => facts.system_prompt.as_ref(),
        _ => None,
    };
    if let Some(path) = file {
        return Row::File(path.to_string());
    }
    if id == ComponentId::ModelParametersFinal {
        return Row::Open("yes, partial or no".to_owned());
    }
    let said = answers.sources().filter_map(|source| source.answer(&format!("components.{id}")));
    let Some(answer) = said.into_iter().find(|answer| included(&answer.value).is_some()) else { return Row::Other };
    let of = answer.value.get("ref").and_then(Value::as_str);
    // What is here is not named by an address.
    match of.filter(|of| !of.contains(':') && !facts.has_file(of)) {
        Some(missing) => {
            let (word, from) = (included(&answer.value).unwrap_or(Included::No), &answer.from);
            Row::Open(format!("yes, partial or no; {from} says {word}, with {missing}, which is not in the folder"))
        }
        None if answer.value.get("ref").is_none()
            && is_of_folder(id)
            && included(&answer.value) == Some(Included::Yes) =>
        {
            Row::Open(format!("yes, partial or no; {} says yes, and none is found in the folder", answer.from))
        }
        None => Row::Said(answer),
    }
}

/// Whether the folder shows by itself that a component is there.
fn is_of_folder(id: ComponentId) -> bool {
    matches!(id, ComponentId::ModelCard | ComponentId::UsagePolicy | ComponentId::SystemPrompts)
}

/// The word of a component: alone, or with more beside it.
fn included(value: &Value) -> Option<Included> {
    let word = value.as_str().or_else(|| value.get("included")?.as_str())?;
    Included::from_text(word)
}

/// Many components that one source says alike, `no` and nothing else, as one answer.
fn fold(rows: &mut [(ComponentId, Row)]) -> Option<Answer> {
    let is_plain =
        |value: &Value| included(value) == Some(Included::No) && value.as_table().is_none_or(|table| table.len() == 1);
    let plain = |row: &Row| match row {
        Row::Said(answer) if is_plain(&answer.value) => Some(answer.clone()),
        _ => None,
    };
    let first = rows.iter().find_map(|(_, row)| plain(row))?;
    for (_, row) in rows.iter_mut() {
        if plain(row).is_some_and(|answer| answer.from == first.from) {
            *row = Row::Other;
        }
    }
    Some(Answer { value: Included::No.as_str().into(), ..first })
}

/// A component as it was said before.
fn said(sheet: &mut FormWriter, answer: &Answer) {
    let Some(table) = answer.value.as_table() else { return sheet.answered("included", answer) };
    for (name, value) in table {
        let field = Answer { value: value.clone(), ..answer.clone() };
        match name.as_str() {
            "included" => sheet.answered(name, &field),
            _ => sheet.goes_with(name, &field),
        }
    }
}
