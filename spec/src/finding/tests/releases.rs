//! Sins that one release, or one of its files, shows.

use super::*;
use crate::manifest::FilePath;
use crate::statement::{
    Artifact, Basis, Configuration, MofClass, Openness, OpennessClaim, Parent, SafeguardType, Stage, UnseenBytes,
    UnseenParent,
};

type Sin = (Code, fn(&mut Case));

/// Each sin, and the one code that it has.
const SINS: &[Sin] = &[
    (Code::OpennessClass, |case| case.component(ComponentId::DataCard).included = Included::No),
    (Code::OpennessClass, |case| case.release.openness.class = Some(MofClass::II)),
    (Code::OpennessClass, |case| case.release.openness.claim = OpennessClaim::OpenScience),
    (Code::OpennessClass, |case| {
        case.release.openness = Openness { claim: OpennessClaim::OpenModel, basis: Basis::None, class: None };
        case.component(ComponentId::ModelParametersFinal).license = Some(line("CC-BY-NC-4.0"));
    }),
    (Code::OpennessOsaid, |case| {
        case.release.openness = Openness { claim: OpennessClaim::OpenSource, basis: Basis::Osaid10, class: None };
        case.component(ComponentId::TrainingCode).included = Included::Partial;
    }),
    (Code::OpennessOsaid, |case| {
        case.release.openness = Openness { claim: OpennessClaim::OpenSource, basis: Basis::None, class: None };
        // Open, but no licence of code that OSI approved.
        case.component(ComponentId::InferenceCode).license = Some(line("CC-BY-4.0"));
    }),
    (Code::OpennessWeights, |case| {
        case.release.openness = Openness { claim: OpennessClaim::OpenWeight, basis: Basis::None, class: None };
        case.component(ComponentId::ModelParametersFinal).included = Included::Partial;
    }),
    (Code::OpennessAccess, |case| case.release.access.stage = Stage::GatedDownload),
    (Code::OpennessRestricted, |case| case.release.license.use_restricted = true),
    (Code::RestrictionUnsaid, |case| {
        case.release.openness = Openness { claim: OpennessClaim::None, basis: Basis::None, class: None };
        case.release.license.spdx = line("CC-BY-NC-4.0");
        case.release.license.text.sha256 = Digest::of(spdx::license_id("CC-BY-NC-4.0").unwrap().text().as_bytes());
    }),
    (Code::ComponentAbsent, |case| {
        case.component(ComponentId::TechnicalReport).reference = Some(line("report.pdf"));
    }),
    (Code::LicenseTextOther, |case| case.release.license.spdx = line("MIT")),
    (Code::LicenseTextOther, |case| {
        case.release.openness = Openness { claim: OpennessClaim::None, basis: Basis::None, class: None };
        case.release.license.spdx = line("LicenseRef-Acme-Research");
    }),
    (Code::LicenseTextUnknown, |case| case.release.license.text.sha256 = Digest::of(b"a text")),
    (Code::LicenseUnlisted, |case| {
        case.component(ComponentId::DataCard).license = Some(line("Apache-2.0 OR apache-2.0"));
    }),
    (Code::LicenseDeprecated, |case| {
        case.component(ComponentId::DataCard).license = Some(line("Apache-2.0 OR GPL-3.0"));
    }),
    (Code::PathsCollide, |case| {
        case.add("docs/caf\u{e9}.md", Role::Other);
        case.add("docs/cafe\u{301}.md", Role::Other);
    }),
    (Code::SafeguardStays, |case| {
        case.evaluation("refusals-after-tuning").safeguards = vec!["api-limits".parse().unwrap()];
    }),
    (Code::SafeguardStays, |case| {
        let evaluation = case.evaluation("refusals-after-tuning");
        evaluation.safeguards.clear();
        evaluation.configuration = Configuration::Hosted;
    }),
    (Code::SafeguardFileMissing, |case| {
        case.release.safety.safeguards[1].file = Some("safety/gone.safetensors".parse().unwrap());
    }),
    (Code::SafeguardWithoutFile, |case| case.release.safety.safeguards[1].file = None),
    (Code::SafeguardWithoutFile, |case| case.release.safety.safeguards[0].kind = SafeguardType::SystemPrompt),
    (Code::TemplateDiffers, |case| case.evaluation("arc-easy").template = Some(Digest::of(b"another"))),
    (Code::TemplateNotShipped, |case| {
        case.files.iter_mut().find(|file| file.role == Role::ChatTemplate).unwrap().role = Role::Other;
    }),
    (Code::SystemPromptDiffers, |case| {
        case.add("system_prompt.txt", Role::SystemPrompt);
        case.evaluation("cyber-bare").system_prompt = Some(Digest::of(b"another"));
    }),
    (Code::SystemPromptNotShipped, |case| {
        case.evaluation("cyber-bare").system_prompt = Some(Digest::of(b"another"));
    }),
    (Code::CapabilityOnly, |case| {
        case.release.evaluations.retain(|evaluation| evaluation.class == EvaluationClass::Capability);
        for &domain in DangerousDomain::ALL {
            case.release.not_evaluated.insert(domain, prose("Later."));
        }
    }),
    (Code::DomainsNotEvaluated, |case| {
        case.release.evaluations.retain(|evaluation| evaluation.domain.dangerous() != Some(DangerousDomain::Fraud));
        case.release.not_evaluated.insert(DangerousDomain::Fraud, prose("Later."));
    }),
    // Reflection 70B: the uploaded weights are not the ones that were evaluated.
    (Code::SubjectDiffers, |case| case.evaluation("arc-easy").subject = Digest::of(b"other weights")),
    (Code::SubjectIsParent, |case| {
        let parent = case.release.lineage[0].parent_weights;
        case.evaluation("arc-easy").subject = parent.unwrap();
    }),
    (Code::DatasetUnpinned, |case| case.evaluation("arc-easy").dataset.revision = None),
    (Code::ResultMissing, |case| case.evaluation("cyber-bare").result.sha256 = Digest::of(b"")),
    (Code::ResultMissing, |case| case.evaluation("cyber-bare").result.sha256 = Digest::from_bytes([0; 32])),
    (Code::EvaluatorUnsaid, |case| case.evaluation("arc-easy").evaluator = line("Unknown")),
    (Code::KindDiffers, |case| case.release.model.variant = "instruct-awq".parse().unwrap()),
    (Code::KindDiffers, |case| case.release.model.variant = "base".parse().unwrap()),
    (Code::KindDiffers, |case| case.add("tiny-q4_k_m.safetensors", Role::Weights)),
    (Code::KindUnsaid, |case| {
        case.release.model.artifact = Artifact::Quantized;
        case.release.model.quantization = Some(line("Q4_K_M"));
    }),
    (Code::QuantizationDiffers, |case| {
        case.release.model.artifact = Artifact::Quantized;
        case.release.model.quantization = Some(line("Q4_K_M"));
        case.release.model.variant = "instruct-q8_0".parse().unwrap();
    }),
    (Code::FormatDiffers, |case| case.release.model.formats = vec!["gguf".parse().unwrap()]),
    (Code::FormatDiffers, |case| case.release.model.variant = "instruct-onnx".parse().unwrap()),
    (Code::ReferenceFloating, |case| case.release.model.version = "latest".parse().unwrap()),
    (Code::ReferenceFloating, |case| {
        case.release.model.purl = Some("pkg:huggingface/acme/tiny".parse().unwrap());
    }),
    (Code::ReferenceFloating, |case| case.release.hosts[0].revision = Some(line("main"))),
    (Code::ReferenceFloating, |case| case.release.hosts[0].revision = Some(line("the commit"))),
    (Code::ReferenceFloating, |case| case.release.hosts[0].revision = Some(line("v1.0"))),
    (Code::ReferenceFloating, |case| case.release.hosts[0].revision = Some(line("abcdef"))),
    (Code::ReferenceFloating, |case| {
        let Parent::Unlogged(parent) = &mut case.release.lineage[1].parent else { panic!("the parent is logged") };
        parent.purl = "pkg:huggingface/elder/vocabulary".parse().unwrap();
    }),
    (Code::FamilyOnly, |case| case.release.model.parameters = None),
    (Code::PickleWeights, |case| case.add("pytorch_model.bin", Role::Weights)),
    (Code::PickleWeights, |case| case.add("safety/filter.pt", Role::Classifier)),
    (Code::PickleFile, |case| case.add("training_args.bin", Role::Other)),
    (Code::CodeFiles, |case| case.add("modeling_tiny.py", Role::Other)),
    (Code::CodeFiles, |case| case.add("tiny.llamafile", Role::Other)),
    (Code::LicenseDropped, |case| case.release.lineage[1].carries.license = false),
    (Code::ParentUnseen, |case| {
        let purl = "pkg:huggingface/elder/vocabulary@9f2d".parse().unwrap();
        let bytes = UnseenBytes::Unknown(line("It was trained by a service, which does not say."));
        case.release.lineage[1].parent = Parent::Unseen(UnseenParent { purl, bytes });
        case.release.lineage[1].parent_weights = None;
    }),
];

/// The codes that the sins above have.
pub(super) static CODES: std::sync::LazyLock<Vec<Code>> =
    std::sync::LazyLock::new(|| SINS.iter().map(|(code, _)| *code).collect());

/// The codes that only a file shows.
pub(super) const FILE_CODES: &[Code] = &[
    Code::LicenseTextModified,
    Code::LicenseNamedOther,
    Code::CodeInConfig,
    Code::ConfigUnreadable,
    Code::ParentMissing,
];

#[test]
fn each_sin_has_its_code_and_no_other() {
    for (number, (code, sin)) in SINS.iter().enumerate() {
        let mut case = clean_case();
        sin(&mut case);
        assert_eq!(case.codes(), [*code], "sin {number}");
    }
}

#[test]
fn a_run_of_the_bare_weights_answers_for_the_wrapped_one() {
    let mut case = clean_case();
    case.evaluation("refusals-after-tuning").safeguards = vec!["api-limits".parse().unwrap()];
    let mut bare = case.evaluation("refusals-after-tuning").clone();
    bare.id = "removal-bare".parse().unwrap();
    bare.configuration = Configuration::BareWeights;
    bare.safeguards.clear();
    case.release.evaluations.push(bare);
    assert_eq!(case.codes(), []);
}

#[test]
fn what_is_right_is_not_reported() {
    let right: &[fn(&mut Case)] = &[
        // A licence with a line of its own has any digest.
        |case| {
            case.release.license.spdx = line("MIT");
            case.release.license.text.sha256 = Digest::of(b"MIT License\n\nCopyright (c) 2026 Acme\n...");
        },
        // A choice of licences in two files; the text is one of them.
        |case| case.release.license.spdx = line("MIT OR Apache-2.0"),
        // Restricted uses and no claim beyond weights that can be had.
        |case| {
            case.release.openness = Openness { claim: OpennessClaim::OpenWeight, basis: Basis::None, class: None };
            case.release.license.use_restricted = true;
            case.release.access.stage = Stage::GatedDownload;
        },
        // A quantized artifact is named after what it is made of.
        |case| {
            case.release.model.artifact = Artifact::Quantized;
            case.release.model.quantization = Some(line("Q4_K_M"));
            case.release.model.variant = "instruct-distill-q4_k_m".parse().unwrap();
        },
        // Another format is no quantization.
        |case| {
            case.release.model.formats.push("gguf".parse().unwrap());
            case.release.model.variant = "instruct-gguf-f16".parse().unwrap();
            case.add("tiny-f16.gguf", Role::Weights);
        },
        // A research paper stands in for the technical report.
        |case| {
            case.component(ComponentId::TechnicalReport).included = Included::No;
            case.component(ComponentId::ResearchPaper).included = Included::Yes;
        },
        // A component in a folder, and one at an address.
        |case| {
            case.component(ComponentId::EvaluationResults).reference = Some(line("evaluations/"));
            case.component(ComponentId::DataCard).reference = Some(line("https://acme.example/data"));
        },
        // No capability results: nothing stands in the place of anything.
        |case| {
            case.release.evaluations.clear();
            for &domain in DangerousDomain::ALL {
                case.release.not_evaluated.insert(domain, prose("A toy."));
            }
        },
        |case| case.add("ggml-vocab.bin", Role::Weights),
    ];
    for (number, change) in right.iter().enumerate() {
        let mut case = clean_case();
        change(&mut case);
        assert_eq!(case.codes(), [], "number {number}");
    }
}

#[test]
fn what_is_lacking_for_a_class_is_told_by_component() {
    let mut case = clean_case();
    case.release.openness.class = Some(MofClass::I);
    let found = of_release(None, &case.release, None);
    let lacks: Vec<_> = found[0]
        .evidence
        .iter()
        .filter(|evidence| evidence.name == "lacks")
        .map(|evidence| evidence.value.as_str())
        .collect();
    assert_eq!(
        lacks,
        [
            "evaluation-data: not included",
            "datasets: included in part",
            "model-parameters-intermediate: not included",
            "research-paper: not included"
        ]
    );
    assert_eq!(domains(&case).len(), DangerousDomain::ALL.len());
}

#[test]
fn the_text_of_the_licence_tells_more_than_its_digest() {
    let mut case = clean_case();
    let apache = spdx::license_id("Apache-2.0").unwrap().text();
    let own = apache.replace("[yyyy] [name of copyright owner]", "2026 Acme");
    assert_eq!(of_license_text(None, &case.release, own.as_bytes()), []);

    let worse = own.replace("perpetual, worldwide", "worldwide");
    let found = of_license_text(None, &case.release, worse.as_bytes());
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::LicenseTextModified]);
    assert!(found[0].evidence.iter().any(|evidence| evidence.value.contains("worldwide")), "{found:?}");

    case.release.license.spdx = line("MIT");
    let found = of_license_text(None, &case.release, own.as_bytes());
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::LicenseTextOther]);
}

#[test]
fn a_configuration_that_runs_code_is_reported() {
    let path = "config.json".parse().unwrap();
    let config = br#"{"auto_map": {"AutoModel": "elder/other--modeling.Model"}}"#;
    let found = of_config(None, None, &path, config, |_| false);
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::CodeInConfig]);
    assert_eq!(of_config(None, None, &path, b"{}", |_| false), []);
}

#[test]
fn a_pickle_is_known_by_its_content_where_that_is_at_hand() {
    let mut case = clean_case();
    case.add("pytorch_model.bin", Role::Weights);
    let manifest = case.manifest();
    let found = |pickled: &dyn Fn(&FilePath) -> Option<bool>| -> Vec<(Code, bool)> {
        let found = of_release_at_hand(None, &case.release, Some(&manifest), pickled);
        let of = |finding: &Finding| (finding.code, finding.summary.contains("by name"));
        found.iter().filter(|finding| finding.mode == Mode::UnsafeLoading).map(of).collect()
    };
    assert_eq!(found(&|_| None), [(Code::PickleWeights, true)], "what an auditor says");
    assert_eq!(found(&|_| Some(false)), []);
    assert_eq!(found(&|path| Some(path.file_name().ends_with(".bin"))), [(Code::PickleWeights, false)]);
    assert_eq!(
        of_release(None, &case.release, Some(&manifest)),
        of_release_at_hand(None, &case.release, Some(&manifest), &|_| None)
    );
}

#[test]
fn a_bin_that_is_another_format_is_no_pickle_by_its_name() {
    let pickles = |paths: &[(&str, Role)]| -> Vec<String> {
        let mut case = clean_case();
        for (path, role) in paths {
            case.add(path, *role);
        }
        let found = of_release(None, &case.release, Some(&case.manifest()));
        let found = found.into_iter().filter(|finding| matches!(finding.code, Code::PickleWeights | Code::PickleFile));
        found.map(|finding| finding.summary).collect()
    };
    for others in [
        &[("openvino_model.bin", Role::Weights), ("openvino_model.xml", Role::Config)][..],
        &[("tiny.mlpackage/Data/com.apple.CoreML/weights/weight.bin", Role::Weights)],
        &[("en-us.lm.bin", Role::Other), ("vocab/lookups.bin", Role::Other), ("tokenizer.bin", Role::Tokenizer)],
        &[("ggml-model-q4_0.bin", Role::Weights), ("group1-shard1of4.bin", Role::Weights)],
        &[("mlc/params_shard_0.bin", Role::Weights), ("mlc/ndarray-cache.json", Role::Other)],
    ] {
        assert_eq!(pickles(others), Vec::<String>::new(), "{others:?}");
    }
    let named = "1 weights file of the pickle family, by name: to load one is to run it";
    for alone in ["openvino_model.bin", "weights/weight.bin", "pytorch_model.bin", "lm.bin"] {
        assert_eq!(pickles(&[(alone, Role::Weights)]), [named], "{alone}");
    }
    assert_eq!(pickles(&[("sub/model.bin", Role::Weights), ("model.xml", Role::Config)]), [named]);
}

#[test]
fn of_many_missing_bases_some_are_listed() {
    let case = clean_case();
    let declared: Vec<_> = (0..5_000)
        .map(|n| DeclaredBase {
            file: "a.gguf".parse().unwrap(),
            field: format!("general.base_model.{n}.repo_url"),
            name: format!("elder/base-{n}-{}", "x".repeat(2_000)),
        })
        .collect();
    let found = of_declared_bases(None, &case.release, &declared, |_| Vec::new());
    assert_eq!(found.len(), 65);
    let bytes: usize = found.iter().map(|finding| serde_json::to_string(finding).unwrap().len()).sum();
    assert!(bytes < 100_000, "{bytes}");
}

#[test]
fn a_base_that_the_files_name_is_in_the_lineage() {
    let mut case = clean_case();
    let declared = |name: &str| DeclaredBase {
        file: "README.md".parse().unwrap(),
        field: "base_model".to_owned(),
        name: name.to_owned(),
    };
    let codes = |release: &Release, names: &[&str], further: &[&str]| -> Vec<Code> {
        let declared: Vec<_> = names.iter().map(|name| declared(name)).collect();
        let further = |_: &crate::statement::Ancestor| further.iter().map(|name| (*name).to_owned()).collect();
        of_declared_bases(None, release, &declared, further).iter().map(|finding| finding.code).collect()
    };
    // The lineage has a logged parent, which may have any name on a hub, and elder/vocabulary.
    assert_eq!(codes(&case.release, &["elder/vocabulary"], &[]), []);
    assert_eq!(codes(&case.release, &["acme/Tiny-Base"], &[]), []);
    assert_eq!(codes(&case.release, &["acme/Tiny-Base", "other/Model"], &[]), [Code::ParentMissing; 2]);
    assert_eq!(codes(&case.release, &["acme/Tiny-Base"], &["https://huggingface.co/acme/tiny-base"]), []);
    assert_eq!(
        codes(&case.release, &["other/model"], &["https://huggingface.co/acme/tiny-base"]),
        [Code::ParentMissing]
    );
    case.release.lineage.clear();
    assert_eq!(codes(&case.release, &["elder/vocabulary"], &[]), [Code::ParentMissing]);
    assert_eq!(codes(&case.release, &[], &[]), []);
}
