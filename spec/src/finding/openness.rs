//! How open a release is, computed from its components and their licences.
//!
//! The Model Openness Framework 1.0 (White et al., arXiv:2403.13784), as its reference implementation, the Model Openness
//! Tool of LF AI & Data, applies it: the required components of each class, the technical report that a research paper
//! stands in for, and open licences of any content type. The Open Source AI Definition 1.0 (OSI, 2024), with the table of
//! required components of its checklist.

use core::fmt;

use super::terms::{is_open, is_osi_approved};
use crate::statement::{ComponentId, Included, Line, MofClass, Release};

/// What class III requires. A technical report or a research paper comes with it.
const CLASS_III: [ComponentId; 5] = [
    ComponentId::ModelArchitecture,
    ComponentId::ModelParametersFinal,
    ComponentId::EvaluationResults,
    ComponentId::ModelCard,
    ComponentId::DataCard,
];

/// What class II requires beyond class III.
const CLASS_II: [ComponentId; 4] =
    [ComponentId::TrainingCode, ComponentId::InferenceCode, ComponentId::EvaluationCode, ComponentId::EvaluationData];

/// What class I requires beyond class II.
const CLASS_I: [ComponentId; 4] = [
    ComponentId::Datasets,
    ComponentId::DataPreprocessingCode,
    ComponentId::ModelParametersIntermediate,
    ComponentId::ResearchPaper,
];

/// The components of which one, under open terms, can hold the data information that OSAID 1.0 asks for.
const DATA_INFORMATION: [ComponentId; 4] =
    [ComponentId::Datasets, ComponentId::ResearchPaper, ComponentId::TechnicalReport, ComponentId::DataCard];

/// The code that OSAID 1.0 asks for, all of it under licences that OSI approved.
const CODE: [ComponentId; 5] = [
    ComponentId::DataPreprocessingCode,
    ComponentId::TrainingCode,
    ComponentId::InferenceCode,
    ComponentId::SupportingLibraries,
    ComponentId::ModelArchitecture,
];

/// The class under the Model Openness Framework 1.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mof {
    /// The class that is met; none if class III is not.
    pub class: Option<MofClass>,
    /// What class III lacks, then class II beyond it, then class I.
    lacks: [Vec<Lack>; 3],
}

impl Mof {
    /// What is lacking for a class, its lower classes included.
    pub fn lacking(&self, class: MofClass) -> Vec<&Lack> {
        let classes = match class {
            MofClass::III => 1,
            MofClass::II => 2,
            MofClass::I => 3,
        };
        self.lacks.iter().take(classes).flatten().collect()
    }
}

/// Whether the Open Source AI Definition 1.0 is met, as far as a record can say: that the data information suffices for a
/// skilled person to build an equivalent system, only a reader can judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Osaid {
    /// What is lacking; nothing, if it is met.
    pub lacking: Vec<Lack>,
}

/// One thing that is lacking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The components of which one would do.
    pub any_of: Vec<ComponentId>,
    /// Why the first of them does not.
    pub reason: LackReason,
}

/// Why a component does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LackReason {
    /// It is not included.
    NotIncluded,
    /// It is included in part.
    Partial,
    /// Its licence is not open.
    License(Line),
}

/// The class of a release.
pub fn mof(release: &Release) -> Mof {
    let all = |components: &[ComponentId]| -> Vec<Lack> {
        components.iter().filter_map(|&component| lack(release, &[component], is_open)).collect()
    };
    let mut third = all(&CLASS_III);
    third.extend(lack(release, &[ComponentId::TechnicalReport, ComponentId::ResearchPaper], is_open));
    let lacks = [third, all(&CLASS_II), all(&CLASS_I)];
    let met = lacks.iter().take_while(|lacks| lacks.is_empty()).count();
    let class = [None, Some(MofClass::III), Some(MofClass::II), Some(MofClass::I)].get(met).copied().flatten();
    Mof { class, lacks }
}

/// What a release lacks of the Open Source AI Definition.
pub fn osaid(release: &Release) -> Osaid {
    let mut lacking: Vec<Lack> = lack(release, &DATA_INFORMATION, is_open).into_iter().collect();
    lacking.extend(CODE.iter().filter_map(|&component| lack(release, &[component], is_osi_approved)));
    lacking.extend(lack(release, &[ComponentId::ModelParametersFinal], is_open));
    Osaid { lacking }
}

/// What is lacking, unless one of the components is wholly included under good terms.
fn lack(release: &Release, any_of: &[ComponentId], good: impl Fn(&str) -> bool) -> Option<Lack> {
    let mut first = None;
    for &component in any_of {
        match why_not(release, component, &good) {
            None => return None,
            Some(reason) => first = first.or(Some(reason)),
        }
    }
    Some(Lack { any_of: any_of.to_vec(), reason: first? })
}

/// A component without a licence of its own is under the licence of the release.
fn why_not(release: &Release, component: ComponentId, good: impl Fn(&str) -> bool) -> Option<LackReason> {
    let Some(stated) = release.components.get(&component) else { return Some(LackReason::NotIncluded) };
    let license = stated.license.as_ref().unwrap_or(&release.license.spdx);
    match stated.included {
        Included::No => Some(LackReason::NotIncluded),
        Included::Partial => Some(LackReason::Partial),
        Included::Yes if good(license.as_str()) => None,
        Included::Yes => Some(LackReason::License(license.clone())),
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, component) in self.any_of.iter().enumerate() {
            if n > 0 {
                f.write_str(" or ")?;
            }
            component.fmt(f)?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl fmt::Display for LackReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotIncluded => f.write_str("not included"),
            Self::Partial => f.write_str("included in part"),
            Self::License(license) => write!(f, "under {license}"),
        }
    }
}
