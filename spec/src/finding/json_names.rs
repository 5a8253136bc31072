//! What a configuration in JSON names to be imported: by Hydra, Keras, LeRobot, mlx-lm and Sentence Transformers.

use std::collections::BTreeMap;

use super::library_name;
use super::python_json::Json;

/// What Keras has of its own.
const KERAS: [&str; 5] = ["keras", "keras_cv", "keras_hub", "keras_nlp", "tf_keras"];
/// Ends of files that Python imports.
const MODULES: [&str; 3] = [".py", ".pyc", ".so"];

/// Fields and the names in them that are not of the library that reads them. `name` is that of the file.
pub(super) fn names(name: &str, config: &Json) -> Vec<(String, String)> {
    let mut found = Vec::new();
    each_map(config, "", &mut |place, fields| {
        hydra(place, fields, &mut found);
        keras(place, fields, &mut found);
    });
    lerobot(config, &mut found);
    if name.ends_with("config.json") {
        sentence_transformers(config, &mut found);
        let file = config.get("model_file").and_then(Json::as_str);
        if let Some(runs) = file.filter(|file| MODULES.iter().any(|end| file.ends_with(end))) {
            found.push(("model_file".to_owned(), runs.to_owned()));
        }
    }
    found
}

/// `_target_`.
fn hydra(place: &str, fields: &BTreeMap<String, Json>, found: &mut Vec<(String, String)>) {
    if let Some(runs) = fields.get("_target_").and_then(Json::as_str)
        && !library_name::is_of(runs, &["torch"])
    {
        found.push((format!("{place}_target_"), runs.to_owned()));
    }
}

/// A serialized object, `{module, class_name, config}`, and a function whose program is in it. Keras looks a function of `builtins` up among its own.
fn keras(place: &str, fields: &BTreeMap<String, Json>, found: &mut Vec<(String, String)>) {
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    let Some(class) = text("class_name").filter(|_| fields.contains_key("config")) else { return };
    if class == "__lambda__" {
        found.push((format!("{place}class_name"), class.to_owned()));
    }
    let Some(module) = text("module").filter(|module| !(*module == "builtins" && class == "function")) else { return };
    let runs = format!("{module}.{class}");
    if !library_name::is_of(&runs, &KERAS) {
        found.push((format!("{place}module"), runs));
    }
}

/// The steps of a processor: `{steps: [{class: "module.Step"}]}`.
fn lerobot(config: &Json, found: &mut Vec<(String, String)>) {
    for (n, step) in config.get("steps").and_then(Json::as_list).into_iter().flatten().enumerate() {
        let class = step.get("class").and_then(Json::as_str).filter(|class| class.contains('.'));
        if let Some(runs) = class.filter(|class| !library_name::is_of(class, &["lerobot"])) {
            found.push((format!("steps[{n}].class"), runs.to_owned()));
        }
    }
}

/// What parts of Sentence Transformers import by name: the activation of a dense layer and that of a cross-encoder, and the parts
/// of a router. A name without a dot is one of Transformers' own.
fn sentence_transformers(config: &Json, found: &mut Vec<(String, String)>) {
    let own = config.get("sentence_transformers").and_then(|own| own.get("activation_fn"));
    for (field, value) in [
        ("activation_function", config.get("activation_function")),
        ("sbert_ce_default_activation_function", config.get("sbert_ce_default_activation_function")),
        ("sentence_transformers.activation_fn", own),
    ] {
        let imported = value.and_then(Json::as_str).filter(|name| name.contains('.'));
        if let Some(runs) = imported.filter(|name| !library_name::is_of(name, &["torch"])) {
            found.push((field.to_owned(), runs.to_owned()));
        }
    }
    for (part, kind) in config.get("types").and_then(Json::as_map).into_iter().flatten() {
        let imported = kind.as_str().filter(|name| name.contains('.'));
        if let Some(runs) = imported.filter(|name| !name.starts_with("sentence_transformers.")) {
            found.push((format!("types.{part}"), runs.to_owned()));
        }
    }
}

/// Each map, with the place that its fields begin with, as deep as JSON is kept.
fn each_map(value: &Json, place: &str, each: &mut dyn FnMut(&str, &BTreeMap<String, Json>)) {
    match value {
        Json::Map(fields) => {
            each(place, fields);
            fields.iter().for_each(|(name, value)| each_map(value, &format!("{place}{name}."), each));
        }
        Json::List(values) => {
            let part = place.trim_end_matches('.');
            values.iter().enumerate().for_each(|(n, value)| each_map(value, &format!("{part}[{n}]."), each));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, config: &str) -> Vec<String> {
        let names = names(name, &Json::parse(config.as_bytes()).unwrap());
        names.into_iter().map(|(field, runs)| format!("{field} {runs}")).collect()
    }

    #[test]
    fn what_a_library_imports_by_name_is_found() {
        for (name, config, expected) in [
            ("config.json", r#"{"model_type": "llama", "model_file": "custom.py"}"#, "model_file custom.py"),
            (
                "policy_preprocessor.json",
                r#"{"name": "p", "steps": [{"class": "lerobot.processor.X"}, {"class": "evil.mod.Step", "config": {}}]}"#,
                "steps[1].class evil.mod.Step",
            ),
            (
                "config.json",
                r#"{"module": "evil.mod", "class_name": "X", "config": {}, "registered_name": "Custom>X"}"#,
                "module evil.mod.X",
            ),
            (
                "task.json",
                r#"{"module": "keras_hub.src.models", "class_name": "T", "config": {"layers": [{"module": "evil", "class_name": "X", "config": {}}]}}"#,
                "config.layers[0].module evil.X",
            ),
            ("config.json", r#"{"module": "builtins", "class_name": "exec", "config": {}}"#, "module builtins.exec"),
            (
                "a.json",
                r#"{"f": {"class_name": "__lambda__", "config": {"value": "4wA="}}}"#,
                "f.class_name __lambda__",
            ),
            ("a.json", r#"[{"_target_": "other_mod.Note"}]"#, "[0]._target_ other_mod.Note"),
        ] {
            assert_eq!(found(name, config), [expected], "{config}");
        }
    }

    #[test]
    fn what_the_library_has_itself_is_none() {
        for (name, config) in [
            ("config.json", r#"{"model_file": "model.onnx"}"#),
            ("policy_preprocessor.json", r#"{"steps": [{"registry_name": "normalizer_processor", "config": {}}]}"#),
            ("recipe.json", r#"{"steps": ["a.b", {"class": "Step"}]}"#),
            (
                "config.json",
                r#"{"module": "keras_hub.src.models.bert.bert_backbone", "class_name": "BertBackbone", "config":
                    {"dtype": {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": null},
                     "f": {"module": "builtins", "class_name": "function", "config": "relu"}}}"#,
            ),
            ("config.json", r#"{"module": null, "class_name": "X", "config": {}, "registered_name": "Custom>X"}"#),
            ("data.json", r#"{"module": "a.b", "class_name": "X"}"#),
        ] {
            assert_eq!(found(name, config), Vec::<String>::new(), "{config}");
        }
    }
}
