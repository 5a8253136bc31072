//! `[docs]` and `[[legal]]`, which a release may have: where an earlier one has them, they go on.

use toml::Value;

use super::values::standing_document;
use crate::draft::answers::Answers;
use crate::draft::facts::Facts;
use crate::form::{FormWriter, quoted};

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts, answers: &Answers) {
    let Some(old) = &answers.old else { return };
    if let Some(docs) = old.source.answer("docs").as_ref().and_then(|docs| docs.value.as_table()) {
        sheet.section("docs");
        for (name, document) in docs {
            match standing_document(document, facts, old.files.as_deref()) {
                Some(document) => sheet.answered(name, &old.source.says(document)),
                None => {
                    let what =
                        format!("DECIDE: why there is none; {} has one, which is not in this folder", old.source.name);
                    sheet.line(name, &format!("{{ none = {} }}", quoted(&what)), "");
                }
            }
        }
    }
    let legal = old.source.answer("legal");
    for claim in legal.iter().filter_map(|legal| legal.value.as_array()).flatten().filter_map(Value::as_table) {
        sheet.item("legal");
        for (name, value) in claim {
            match name.as_str() {
                "claim" => sheet.answered(name, &old.source.says(value.clone())),
                _ => sheet.goes_with(name, &old.source.says(value.clone())),
            }
        }
    }
}
