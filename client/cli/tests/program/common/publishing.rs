//! A publisher of the world's model: a key, a draft, decisions, and `stele publish`.

use super::{Log, Ran, Served, World, stele, stele_with};

/// A world whose log is served and whose policy says where.
pub(crate) fn served() -> (World, Served) {
    let mut world = World::new();
    let served = Served::start(std::mem::replace(&mut world.log, Log::new(1)));
    std::fs::write(world.at("policy"), world.log.policy(Some(&served.url), 2)).unwrap();
    let key = world.at("publisher.pem");
    stele(&["key", "new", key.to_str().unwrap()]).ok();
    (world, served)
}

/// Drafts a release of the world's model.
pub(crate) fn draft(world: &World) -> Ran {
    let model = world.model();
    stele(&[
        "draft",
        model.to_str().unwrap(),
        "--publisher",
        "acme.example",
        "--model",
        "tiny",
        "--model-version",
        "1.0",
        "--variant",
        "base",
    ])
}

/// Makes every decision of a draft, as somebody in a hurry would.
pub(crate) fn decide(world: &World) {
    let path = world.model().join("release.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut section = String::new();
    let mut decided = String::new();
    for line in text.lines() {
        if line.starts_with('[') {
            section = line.to_owned();
        }
        let Some((start, rest)) = line.split_once("\"DECIDE").filter(|_| !line.starts_with('#')) else {
            decided += &format!("{line}\n");
            continue;
        };
        let (_, end) = rest.split_once('"').unwrap();
        let value = match (section.as_str(), start.trim_end_matches([' ', '=', '['])) {
            (_, "from_scratch") => "true",
            ("[model]", _) => "\"base\"",
            ("[license]", "spdx") => "\"Apache-2.0\"",
            ("[license]", "use_restricted") => "false",
            ("[openness]", "claim") => "\"open-weight\"",
            ("[openness]", _) => "\"none\"",
            ("[access]", "stage") => "\"internal\"",
            ("[access]", _) => "2026-06-25",
            ("[obligations]", _) => "\"mailto:incidents@acme.example\"",
            (section, _) if section.starts_with("[components") => "\"no\"",
            _ => "\"Because it is an example.\"",
        };
        decided += &format!("{start}{value}{end}\n");
    }
    std::fs::write(path, decided).unwrap();
}

/// Publishes it.
pub(crate) fn publish(world: &World, more: &[&str]) -> Ran {
    publish_with(world, world.at("publisher.pem").to_str().unwrap(), more, &[])
}

/// The same with another key and with variables of the environment.
pub(crate) fn publish_with(world: &World, key: &str, more: &[&str], environment: &[(&str, &str)]) -> Ran {
    let (model, policy) = (world.model(), world.at("policy"));
    let mut arguments = vec!["publish", model.to_str().unwrap(), "--key", key, "--policy", policy.to_str().unwrap()];
    arguments.extend(more);
    stele_with(&arguments, environment)
}
