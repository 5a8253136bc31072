//! A model on the Hugging Face Hub, as files and git remotes name it: `acme/tiny`, addresses of it, and ids of the first years that
//! have no owner.

/// The names of the hub's host.
const HOSTS: [&str; 4] = ["huggingface.co", "www.huggingface.co", "hf.co", "ssh.hf.co"];

/// Models that the hub had before there were accounts, by the account that has them now. Each pair stands in the sources of transformers
/// (4.57.1, 5.0.0, 5.24.0), sentence-transformers 6.2.0 or optimum-intel 2.2.0. Of any other name the owner is not known: no rule on how a
/// name begins holds for all of them.
const MOVED: [(&str, &[&str]); 10] = [
    ("albert", &["albert-base-v2", "albert-xxlarge-v2"]),
    ("almanach", &["camembert-base"]),
    (
        "distilbert",
        &[
            "distilbert-base-cased",
            "distilbert-base-cased-distilled-squad",
            "distilbert-base-uncased",
            "distilbert-base-uncased-finetuned-sst-2-english",
            "distilgpt2",
            "distilroberta-base",
        ],
    ),
    (
        "FacebookAI",
        &[
            "roberta-base",
            "roberta-large",
            "roberta-large-mnli",
            "xlm-mlm-en-2048",
            "xlm-mlm-enro-1024",
            "xlm-roberta-base",
        ],
    ),
    (
        "google-bert",
        &[
            "bert-base-cased",
            "bert-base-multilingual-uncased",
            "bert-base-uncased",
            "bert-large-cased",
            "bert-large-uncased",
        ],
    ),
    ("google-t5", &["t5-11b", "t5-3b", "t5-base", "t5-large", "t5-small"]),
    ("openai-community", &["gpt2", "gpt2-large", "gpt2-medium", "gpt2-xl", "openai-gpt"]),
    ("Salesforce", &["ctrl"]),
    ("transfo-xl", &["transfo-xl-wt103"]),
    ("xlnet", &["xlnet-base-cased", "xlnet-large-cased"]),
];

/// What a name is on the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HubName {
    /// `owner/model`.
    Model(String),
    /// A model without an owner, of whom it is not known who has it now.
    NoOwner(String),
    /// Something else: an address of another host, or no name.
    Elsewhere,
}

impl HubName {
    /// Reads a name or an address.
    pub fn of(said: &str) -> Self {
        let said = said.trim();
        let said = said.strip_prefix("hf://").or_else(|| said.strip_prefix("pkg:huggingface/")).unwrap_or(said);
        let path = match path_on_hub(said) {
            Some(path) => path,
            None if said.contains("://") || said.contains([':', ' ', '\\']) => return Self::Elsewhere,
            None => said,
        };
        let path = path.split(['?', '#', '@']).next().unwrap_or_default();
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let (first, second) = (parts.next(), parts.next());
        // Behind the model stands what an address says of it: `tree/main`, `resolve/...`.
        let is_model = parts
            .next()
            .is_none_or(|word| matches!(word, "tree" | "blob" | "resolve" | "raw" | "commit" | "discussions"));
        let word = |part: &&str| {
            part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) && part.len() <= 96
        };
        match (first.filter(word), second) {
            (Some(owner), Some(model)) if is_model && !matches!(owner, "datasets" | "spaces" | "api") => {
                let model = model.strip_suffix(".git").unwrap_or(model);
                if word(&model) { Self::Model(format!("{owner}/{model}")) } else { Self::Elsewhere }
            }
            (Some(model), None) => {
                let model = model.strip_suffix(".git").unwrap_or(model);
                match MOVED.iter().find(|(_, models)| models.contains(&model)) {
                    Some((owner, _)) => Self::Model(format!("{owner}/{model}")),
                    None => Self::NoOwner(model.to_owned()),
                }
            }
            _ => Self::Elsewhere,
        }
    }

    /// Reads a git remote, also over SSH: only an address of the hub is a model there.
    pub fn of_remote(url: &str) -> Option<String> {
        match Self::of(path_on_hub(url.trim())?) {
            Self::Model(name) => Some(name),
            Self::NoOwner(_) | Self::Elsewhere => None,
        }
    }
}

/// What stands behind the hub's host in an address: `https://`, `ssh://git@`, `git@hf.co:`, or none before it.
fn path_on_hub(address: &str) -> Option<&str> {
    let (host, path) = match address.split_once("://") {
        Some((scheme, rest)) => {
            if !["https", "http", "ssh", "git", "git+ssh"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
                return None;
            }
            rest.split_once('/')?
        }
        // `git@hf.co:acme/tiny`, and `hf.co/acme/tiny`.
        None => match address.split_once(':') {
            Some((host, path)) if !host.contains('/') => (host, path),
            _ => address.split_once('/')?,
        },
    };
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    HOSTS.iter().any(|known| known.eq_ignore_ascii_case(host)).then(|| path.trim_start_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_model_of_the_hub_is_none() {
        for said in [
            "https://git.acme.example/acme/tiny",
            "git@git.acme.example:acme/tiny",
            "https://huggingface.co/datasets/acme/words",
            "https://huggingface.co/",
            "https://huggingface.co.acme.example/acme/tiny",
            "https://huggingface.co@acme.example/acme/tiny",
            "acme/tiny/more",
            "a b/c",
            "C:\\models\\tiny",
            "",
        ] {
            assert_eq!(HubName::of(said), HubName::Elsewhere, "{said}");
            assert_eq!(HubName::of_remote(said), None, "{said}");
        }
        assert_eq!(HubName::of("tiny"), HubName::NoOwner("tiny".to_owned()));
        assert_eq!(HubName::of_remote("acme/tiny"), None, "a path beside the clone");
    }

    #[test]
    fn one_model_has_one_name() {
        for said in [
            "acme/tiny",
            "https://huggingface.co/acme/tiny",
            "http://www.huggingface.co/acme/tiny/",
            "https://hf.co/acme/tiny/tree/main",
            "https://huggingface.co/acme/tiny?library=x",
            "huggingface.co/acme/tiny",
            "hf.co/acme/tiny",
            "hf://acme/tiny",
            "pkg:huggingface/acme/tiny@9f2d",
            "git@hf.co:acme/tiny",
            "git@hf.co:acme/tiny.git",
            "ssh://git@hf.co/acme/tiny",
            "ssh://git@hf.co:22/acme/tiny.git",
            "https://me:secret@huggingface.co/acme/tiny.git",
        ] {
            assert_eq!(HubName::of(said), HubName::Model("acme/tiny".to_owned()), "{said}");
        }
        for (said, moved) in [
            ("gpt2", "openai-community/gpt2"),
            ("bert-base-uncased", "google-bert/bert-base-uncased"),
            ("https://huggingface.co/distilgpt2", "distilbert/distilgpt2"),
        ] {
            assert_eq!(HubName::of(said), HubName::Model(moved.to_owned()), "{said}");
        }
        for begins_like_one in ["bert-acme", "gpt2-acme", "roberta-acme-detector", "t5-", "distilacme"] {
            assert_eq!(HubName::of(begins_like_one), HubName::NoOwner(begins_like_one.to_owned()));
        }
    }
}
