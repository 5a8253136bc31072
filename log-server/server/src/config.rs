//! `log.toml`: what the operator decides.
//!
//! Every field that is not there has the default that its documentation names; a field that is not known is refused.
//! Paths are relative to the folder of the file.

use axum::http::HeaderName;
use serde::Deserialize;
use std::path::PathBuf;
use std::str::FromStr;
use stele_log_core::rules::{Batch, Claims, Quotas, Registration, Rules};
use stele_log_storage_postgres::address::{Address, AddressError};
use stele_log_storage_s3::location::{Endpoint, Location, Region};
use stele_spec::checkpoint::Origin;

/// The name of the config in the log's folder.
pub const FILE: &str = "log.toml";

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The identity of the log: the first line of its checkpoints and the name of its key. It never changes.
    #[serde(deserialize_with = "origin")]
    pub origin: Origin,
    /// The address to serve on; `run --listen` overrides it. Default `127.0.0.1:8080`.
    #[serde(default = "listen")]
    pub listen: String,
    /// The log's secret key, a signed-note key string. Default `log.key`.
    #[serde(default = "key")]
    pub key: PathBuf,
    /// A second secret key of the log, which signs beside the first while readers and witnesses come to know it: `stele-log key`
    /// sets it. Default none.
    #[serde(default)]
    pub second_key: Option<PathBuf>,
    /// The trust policy (c2sp.org/tlog-policy) that a tree head must satisfy before it is published; `run --policy`
    /// overrides it. Default `policy`.
    #[serde(default = "policy")]
    pub policy: PathBuf,
    /// The page that verifies in a browser, served at `/verify`: the file that `cargo browser-page` builds. Default none.
    #[serde(default)]
    pub verify_page: Option<PathBuf>,
    /// The folder of everything that the log stores, on one file system. Default `data`.
    #[serde(default = "data")]
    pub data: PathBuf,
    /// After so many seconds without a new tree head the witnesses cosign the newest once more. Default 600.
    #[serde(default = "republish_every")]
    pub republish_every: u64,
    /// Whether the log takes no new statement any more: `stele-log freeze` sets it. Default false.
    #[serde(default)]
    pub frozen: bool,
    /// Where tiles, entries, manifests and the newest signed tree head are kept, where that is no folder. Default none: below `data`.
    #[serde(default)]
    pub objects: Option<ObjectsConfig>,
    /// What a standby waits for, and where other machines reach this one.
    #[serde(default)]
    pub standby: StandbyConfig,
    /// Who may claim a name.
    pub registration: Registration,
    /// When a batch is closed.
    #[serde(default)]
    pub batch: Batch,
    /// What outsiders may occupy.
    #[serde(default)]
    pub limits: Limits,
    /// What one name and one key may add in a day.
    #[serde(default)]
    pub quotas: Quotas,
}

/// A bucket of an S3-compatible service that holds the log. It must do conditional writes; each start has it show that.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectsConfig {
    /// The bucket: `s3://BUCKET` or `s3://BUCKET/PREFIX`.
    #[serde(deserialize_with = "text")]
    pub url: Location,
    /// The address of the service, `https://HOST`. Default that of AWS in the region.
    #[serde(default, deserialize_with = "some_text")]
    pub endpoint: Option<Endpoint>,
    /// The region that requests are signed for. Default `us-east-1`, which services other than AWS take.
    #[serde(default = "region", deserialize_with = "text")]
    pub region: Region,
    /// A file with `aws_access_key_id` and `aws_secret_access_key`, readable by its owner alone. Default none: `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN` of the environment.
    #[serde(default)]
    pub credentials: Option<PathBuf>,
    /// What decides who writes: `objects`, a chain of records in the same bucket, or `postgres://USER@HOST:PORT/DATABASE`, the same chain in a table.
    #[serde(deserialize_with = "text")]
    pub lock: Lock,
    /// A file with the password of the database, readable by its owner alone. Default none: `PGPASSWORD` of the environment, if it is set.
    #[serde(default)]
    pub lock_password: Option<PathBuf>,
    /// The certificates, in PEM, of the authorities that the database's certificate comes from. Default: those that browsers know.
    #[serde(default)]
    pub lock_ca: Option<PathBuf>,
}

/// What decides who writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// A chain of records in the bucket.
    Objects,
    /// The same chain in a table of PostgreSQL.
    Postgres(Box<Address>),
}

impl FromStr for Lock {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if text == "objects" {
            Ok(Self::Objects)
        } else {
            text.parse().map(|address| Self::Postgres(Box::new(address)))
        }
    }
}

impl std::fmt::Display for Lock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Objects => f.write_str("objects"),
            Self::Postgres(address) => address.fmt(f),
        }
    }
}

/// A log in a bucket that several machines may write, one at a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StandbyConfig {
    /// A standby takes over after so many seconds without a new record in the lock, a new checkpoint, or an answer of the writer: 1 to 3600. Default 5.
    #[serde(deserialize_with = "detect_seconds")]
    pub detect_seconds: u64,
    /// Where standbys and publishers reach this machine when it is the writer, `http://HOST:PORT`: it stands in its fence. Default: where it listens.
    #[serde(deserialize_with = "some_text")]
    pub address: Option<ReachedAt>,
}

/// The most bytes of an address.
pub const MAX_ADDRESS: usize = 140;

/// An address of HTTP at which a log is reached, without a slash at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachedAt(String);

impl FromStr for ReachedAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let is_one = rest.is_some_and(|rest| !rest.is_empty() && !rest.ends_with('/') && !rest.starts_with('/'));
        let fits = text.len() <= MAX_ADDRESS && text.bytes().all(|byte| byte.is_ascii_graphic());
        if is_one && fits {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "expected an address such as http://10.0.0.1:8080, of at most {MAX_ADDRESS} characters, found {text:?}"
        ))
    }
}

impl std::fmt::Display for ReachedAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What outsiders may occupy. The limits of formats (an entry, a manifest) are not here: they are the formats'.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections; beyond that the longest idle one is closed for a newcomer. Default 512.
    pub connections: usize,
    /// Open connections from one address (in IPv6: from one network of 64 bits). Default 128, and no limit for this machine's
    /// own addresses, where a proxy speaks for everybody. When set, it counts for every address: behind a proxy on another
    /// machine, set it to what that proxy may open.
    pub connections_per_address: Option<usize>,
    /// The header in which a proxy says whose request it passes on, such as `X-Forwarded-For`; its last address counts, for
    /// `quotas.claims_by_address`. Only where every request comes through that proxy: anyone else writes there what they like.
    /// Default none: the caller is who connects, and this machine's own addresses speak for everybody.
    #[serde(deserialize_with = "header_name")]
    pub client_address_header: Option<HeaderName>,
    /// Statements that wait for a batch. Default 4096.
    pub pending_submissions: usize,
    /// Seconds that a submission waits for its cosigned proof before 503. Default 60.
    pub submission_seconds: u64,
    /// Seconds that a batch waits for a quorum before its submitters get 503; the tree head is kept and tried again.
    /// Default 10.
    pub quorum_seconds: u64,
    /// Bytes of manifests of more than 64 KiB that are received or checked at a time; who finds no room for 10 s gets 503.
    /// At least 16 MiB, the largest manifest. Default 64 MiB.
    pub body_bytes: u64,
    /// Below so many free bytes on the disk of the data the log takes nothing new and says that it is unwell. Default 256 MiB.
    pub min_free_bytes: u64,
}

impl ObjectsConfig {
    fn template(&self) -> String {
        let Self { url, endpoint, region, lock, .. } = self;
        let endpoint = endpoint.as_ref().map_or_else(String::new, |endpoint| format!("endpoint = \"{endpoint}\"\n"));
        format!(
            "\n# The bucket that holds the log. Credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of the environment, or a file with\n\
             # lines `aws_access_key_id = ...` and `aws_secret_access_key = ...`, as other programs read it.\n\
             [objects]\nurl = \"{url}\"\n{endpoint}region = \"{region}\"\nlock = \"{lock}\"\n# credentials = \"objects.credentials\"\n"
        )
    }
}

impl Default for StandbyConfig {
    fn default() -> Self {
        Self { detect_seconds: 5, address: None }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_address: None,
            client_address_header: None,
            pending_submissions: 4096,
            submission_seconds: 60,
            quorum_seconds: 10,
            body_bytes: 64 << 20,
            min_free_bytes: 256 << 20,
        }
    }
}

impl Config {
    /// The part that decides what is logged and when.
    pub fn rules(&self) -> Rules {
        Rules {
            registration: self.registration.clone(),
            batch: self.batch,
            republish_every: self.republish_every,
            quorum_seconds: self.limits.quorum_seconds,
            min_free_bytes: self.limits.min_free_bytes,
            frozen: self.frozen,
        }
    }

    /// What `init` writes.
    pub fn template(origin: &Origin, claims: Claims, listen: &str, objects: Option<&ObjectsConfig>) -> String {
        let (claims, allowed) = match claims {
            Claims::Open => ("open", ""),
            Claims::AllowList => (
                "allow-list",
                "\n# Each name that may be claimed, with the ids of the keys that may (`stele key show`); [] means any key.\n\
                 [registration.allowed]\n# \"acme.example\" = []\n",
            ),
        };
        format!(
            "# The log's config. Every field: docs/operations/log.md, in the sources of stele-log.\n\
             origin = {origin}\nlisten = {listen}\nkey = \"log.key\"\npolicy = \"policy\"\ndata = \"data\"\n\
             republish_every = {republish}\n{objects}\n[registration]\nclaims = \"{claims}\"\n{allowed}",
            origin = serde_json::Value::from(origin.as_str()),
            listen = serde_json::Value::from(listen),
            republish = republish_every(),
            objects = objects.map_or_else(String::new, ObjectsConfig::template),
        )
    }
}

fn origin<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Origin, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn text<'de, T: FromStr<Err: std::fmt::Display>, D: serde::Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
}

fn some_text<'de, T: FromStr<Err: std::fmt::Display>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    text(deserializer).map(Some)
}

fn detect_seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let found = u64::deserialize(deserializer)?;
    let expected = || serde::de::Error::custom(format!("standby.detect_seconds: expected 1 to 3600, found {found}"));
    (1..=3600).contains(&found).then_some(found).ok_or_else(expected)
}

fn region() -> Region {
    Region::default()
}

fn header_name<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<HeaderName>, D::Error> {
    let found = String::deserialize(deserializer)?;
    found.parse().map(Some).map_err(|_| {
        let expected = "expected the name of a header, such as X-Forwarded-For";
        serde::de::Error::custom(format!("limits.client_address_header: {expected}, found {found:?}"))
    })
}

fn listen() -> String {
    "127.0.0.1:8080".into()
}

fn key() -> PathBuf {
    "log.key".into()
}

fn policy() -> PathBuf {
    "policy".into()
}

fn data() -> PathBuf {
    "data".into()
}

fn republish_every() -> u64 {
    600
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn parse(text: &str) -> Result<Config, stele_daemon::config::ConfigError> {
        stele_daemon::config::parse(text, Path::new(FILE))
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for text in [
            "",
            "origin = \"log.example\"\n",
            "origin = \"\"\n[registration]\nclaims = \"open\"\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"anybody\"\n",
            "origin = \"log.example\"\nlisten = 8080\n[registration]\nclaims = \"open\"\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\nalowed = {}\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[batch]\nmax_entry = 1\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[objects]\nurl = \"s3://logs\"\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[objects]\nurl = \"logs\"\nlock = \"objects\"\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[standby]\ndetect_seconds = 0\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[standby]\naddress = \"10.0.0.1:8080\"\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[standby]\naddress = \"http://a/\"\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[limits]\nclient_address_header = \"a b\"\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"allow-list\"\nallowed = { \"ACME\" = [] }\n",
            "origin = \"log.example\"\n[registration]\nclaims = \"allow-list\"\nallowed = { \"acme.example\" = [\"1\"] }\n",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_batch_may_be_as_long_as_the_format_allows_and_no_longer() {
        let with = |most: usize| {
            parse(&format!(
                "origin = \"log.example\"\n[registration]\nclaims = \"open\"\n[batch]\nmax_entries = {most}\n"
            ))
        };
        assert_eq!(with(1022).unwrap().batch.max_entries, 1022);
        assert_eq!(with(1).unwrap().batch.max_entries, 1);
        for wrong in [0, 1023, 8192] {
            let refused = with(wrong).unwrap_err().to_string();
            assert!(refused.contains(&format!("expected 1 to 1022, found {wrong}")), "{refused}");
        }
    }

    #[test]
    fn what_init_writes_is_read_with_its_defaults() {
        let origin: Origin = "log.example/\"stele\"".parse().unwrap();
        for claims in [Claims::Open, Claims::AllowList] {
            let config = parse(&Config::template(&origin, claims, "[::1]:0", None)).unwrap();
            assert_eq!(config.origin, origin);
            assert_eq!(config.listen, "[::1]:0");
            assert_eq!(config.registration.claims, claims);
            assert!(config.registration.allowed.is_empty());
            assert_eq!((config.batch.max_entries, config.batch.max_age_ms), (1022, 0));
            assert!(config.objects.is_none());
            let objects = ObjectsConfig {
                url: "s3://logs/mine".parse().unwrap(),
                endpoint: Some("http://127.0.0.1:7070".parse().unwrap()),
                region: Region::default(),
                credentials: None,
                lock: "postgres://stele@db.example/stele".parse().unwrap(),
                lock_password: None,
                lock_ca: None,
            };
            let config = parse(&Config::template(&origin, claims, "[::1]:0", Some(&objects))).unwrap();
            assert_eq!(format!("{:?}", config.objects), format!("{:?}", Some(objects)));
        }
    }
}
