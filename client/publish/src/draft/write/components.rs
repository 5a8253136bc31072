//! `[components.*]`: every one of them.

use stele_spec::statement::ComponentId;

use crate::draft::facts::Facts;
use crate::draft::notes::no_weights;
use crate::form::FormWriter;

pub(super) fn write(sheet: &mut FormWriter, facts: &Facts) {
    sheet.blank();
    sheet.comment(
        "What is included: yes, partial or no, of the 17 components of the Model Openness Framework and five more.",
    );
    sheet.comment("Each may have license, ref (a file here, or an address) and reason (why not, or only in part).");
    let first = |path: Option<&str>| path.map(str::to_owned);
    for component in ComponentId::ALL {
        let there = match component {
            ComponentId::ModelParametersFinal => first(facts.weights.first().map(|path| path.as_str())),
            ComponentId::ModelCard => first(facts.card_file.as_ref().map(|path| path.as_str())),
            ComponentId::UsagePolicy => first(facts.use_policy.as_ref().map(|path| path.as_str())),
            ComponentId::SystemPrompts => first(facts.system_prompt.as_ref().map(|path| path.as_str())),
            _ => None,
        };
        sheet.section(&format!("components.{component}"));
        if *component == ComponentId::ModelParametersFinal && facts.weights.is_empty() {
            sheet.comment(&no_weights(facts));
        }
        match there {
            Some(path) => {
                sheet.text("included", "yes", "the folder");
                sheet.text("ref", &path, "");
            }
            None => sheet.decide("included", "yes, partial or no"),
        }
    }
}
