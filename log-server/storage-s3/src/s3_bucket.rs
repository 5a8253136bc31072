//! A bucket of an S3-compatible service. Each call is one signed request, never repeated here.
//!
//! Buckets are named in the path (`https://HOST/BUCKET/KEY`), which every service of the kind takes. Redirects are not followed, and no proxy is
//! asked: what is between a writer and its store must not answer for it.

use crate::answer::{MAX_ERROR, S3Error, Said, between, code, said};
use crate::credentials::Credentials;
use crate::location::{Endpoint, Location, Region};
use crate::signature::{Signed, authorization, sha256};
use crate::timestamp;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::Method;
use std::fmt;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;
use stele_clock::Clock;
use stele_fetch::content_encoding::{EncodingError, decode};
use stele_fetch::http_client::{ClientLimits, HttpClient, HttpError, Response};
use stele_object_store::bucket::{
    About, Bucket, BucketError, Condition, Found, MAX_LISTED, PutAnswer, Served, Version,
};
use stele_object_store::key::Key;

/// How long one request may take: the largest staged batch is some 80 MiB.
const REQUEST: Duration = Duration::from_secs(60);

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// The most bytes of a listing: a thousand names of at most 1,024 bytes, each with its size, time and tag.
const MAX_LISTING: u64 = 4 << 20;

/// The longest entity tag.
const MAX_VERSION: usize = 256;

/// Where a bucket is and by what it knows us.
#[derive(Clone, Debug)]
pub struct S3Config {
    /// The bucket, and what all names in it begin with.
    pub location: Location,
    /// The service.
    pub endpoint: Endpoint,
    /// The region that signatures name.
    pub region: Region,
    /// Who asks.
    pub credentials: Credentials,
}

/// A bucket of a service.
pub struct S3Bucket {
    config: S3Config,
    http: HttpClient,
    clock: Arc<dyn Clock>,
    served: fn(&Key) -> Served,
}

/// A request of which the signature is not made yet.
struct Asked<'a> {
    method: Method,
    key: Option<&'a Key>,
    query: String,
    /// In lower case and in the order of their names.
    headers: Vec<(&'static str, &'a str)>,
    body: &'a [u8],
    limit: u64,
}

impl<'a> Asked<'a> {
    fn of(method: Method, key: &'a Key) -> Self {
        Self { method, key: Some(key), query: String::new(), headers: Vec::new(), body: &[], limit: MAX_ERROR }
    }
}

impl S3Bucket {
    /// The bucket; requests are signed with the time of this clock. Nothing is asked yet.
    pub fn new(config: S3Config, clock: Arc<dyn Clock>) -> Self {
        let limits = ClientLimits { connect: CONNECT, answer: REQUEST, whole: REQUEST, body: MAX_LISTING };
        let http = HttpClient::new(concat!("stele-log/", env!("CARGO_PKG_VERSION")), limits);
        Self { config, http, clock, served: |_| Served::default() }
    }

    /// The same, which says of what it puts what readers are to be told of it.
    #[must_use]
    pub fn serving(self, served: fn(&Key) -> Served) -> Self {
        Self { served, ..self }
    }

    /// One request.
    fn ask(&self, asked: &Asked<'_>) -> Result<Response, BucketError> {
        let Asked { method, key, query, headers, body, limit } = asked;
        let bucket = self.config.location.bucket();
        let path = match key {
            Some(key) => format!("/{bucket}/{}", self.config.location.full(key)),
            None => format!("/{bucket}"),
        };
        let (now, digest) = (timestamp::basic(self.clock.unix_seconds()), sha256(body));
        let mut signed: Vec<(&str, &str)> =
            vec![("host", self.config.endpoint.authority()), ("x-amz-content-sha256", &digest), ("x-amz-date", &now)];
        signed.extend(headers);
        if let Some(token) = self.config.credentials.token() {
            signed.push(("x-amz-security-token", token));
        }
        signed.sort_unstable();
        let request = Signed { method: method.as_str(), path: &path, query, headers: &signed, body: &digest, at: &now };
        let authorization = authorization(&self.config.credentials, &self.config.region, request);
        // The client writes `host` itself, from the address.
        signed.retain(|(name, _)| *name != "host");
        signed.push(("authorization", &authorization));
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{}{path}{mark}{query}", self.config.endpoint);
        // What gzip makes longer is longer by less than this.
        let most = limit.saturating_add(limit >> 8).max(MAX_ERROR);
        let answer = self.http.send(method, &url, &signed, body, most);
        answer.map_err(|error| S3Error::unanswered(&self.what(asked), error, *limit))
    }

    /// What was asked, for people.
    fn what(&self, asked: &Asked<'_>) -> String {
        let name = asked.key.map_or_else(String::new, |key| format!("/{key}"));
        format!("{} {}{name} at {}", asked.method, self.config.location, self.config.endpoint)
    }

    fn failed(&self, asked: &Asked<'_>, answer: &Response) -> BucketError {
        S3Error::of(&self.what(asked), answer, asked.method == Method::HEAD)
    }

    /// What an answer other than success says.
    fn said(asked: &Asked<'_>, answer: &Response) -> Said {
        said(answer.status, &code(answer), asked.method == Method::HEAD)
    }
}

impl Bucket for S3Bucket {
    fn place(&self) -> String {
        format!("{} at {}", self.config.location, self.config.endpoint)
    }

    fn put(&self, key: &Key, condition: Condition<'_>, bytes: &[u8]) -> Result<PutAnswer, BucketError> {
        let Served { content_type, cache_control, is_packed } = (self.served)(key);
        let packed = is_packed.then(|| gzip(bytes));
        let mut asked = Asked { body: packed.as_deref().unwrap_or(bytes), ..Asked::of(Method::PUT, key) };
        let told = [("cache-control", cache_control), ("content-type", content_type)];
        asked.headers.extend(told.into_iter().filter(|(_, value)| !value.is_empty()));
        asked.headers.extend(is_packed.then_some(("content-encoding", "gzip")));
        match condition {
            Condition::None => {}
            Condition::Absent => asked.headers.push(("if-none-match", "*")),
            Condition::Is(Version(version)) => asked.headers.push(("if-match", version)),
        }
        let answer = self.ask(&asked)?;
        if answer.status == 200 {
            return Ok(PutAnswer::Stored(version(&answer)));
        }
        match Self::said(&asked, &answer) {
            Said::ConditionFailed => Ok(PutAnswer::ConditionFailed),
            // AWS, of `If-Match` where nothing is.
            Said::NoObject if matches!(condition, Condition::Is(_)) => Ok(PutAnswer::ConditionFailed),
            _ => Err(self.failed(&asked, &answer)),
        }
    }

    fn get(&self, key: &Key, limit: u64) -> Result<Option<Found>, BucketError> {
        let asked = Asked { limit, ..Asked::of(Method::GET, key) };
        let answer = self.ask(&asked)?;
        if answer.status == 200 {
            let version = version(&answer).ok_or_else(|| S3Error::incomplete(&self.what(&asked), "an ETag"))?;
            let unread = |error| S3Error::unanswered(&self.what(&asked), error, limit);
            let too_large = || unread(HttpError::TooLarge { url: String::new(), limit });
            let bytes = decode(&answer.headers, answer.body, limit).map_err(|error| match error {
                EncodingError::TooLarge { .. } => too_large(),
                error => unread(HttpError::Encoding { url: String::new(), error }),
            })?;
            return if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(Some(Found { bytes, version })) };
        }
        match Self::said(&asked, &answer) {
            Said::NoObject => Ok(None),
            _ => Err(self.failed(&asked, &answer)),
        }
    }

    fn about(&self, key: &Key) -> Result<Option<About>, BucketError> {
        let asked = Asked::of(Method::HEAD, key);
        let answer = self.ask(&asked)?;
        if answer.status == 200 {
            let length = answer.header("content-length").and_then(|length| length.trim().parse().ok());
            let length = length.ok_or_else(|| S3Error::incomplete(&self.what(&asked), "a Content-Length"))?;
            return Ok(Some(About {
                length,
                written_at: answer.header("last-modified").and_then(timestamp::of_header),
            }));
        }
        match Self::said(&asked, &answer) {
            Said::NoObject => Ok(None),
            _ => Err(self.failed(&asked, &answer)),
        }
    }

    fn list(&self, folder: &Key, after: Option<&Key>) -> Result<Vec<Key>, BucketError> {
        let location = &self.config.location;
        let encoded = |name: String| name.replace('/', "%2F");
        let prefix = encoded(format!("{}/", location.full(folder)));
        let mut query = format!("list-type=2&max-keys={MAX_LISTED}&prefix={prefix}");
        if let Some(after) = after {
            query.push_str(&format!("&start-after={}", encoded(location.full(after))));
        }
        let nothing = Asked::of(Method::GET, folder);
        let asked = Asked { key: None, query, limit: MAX_LISTING, ..nothing };
        let answer = self.ask(&asked)?;
        if answer.status != 200 {
            return Err(self.failed(&asked, &answer));
        }
        // A page of something on the way, with 200, is no empty listing.
        if !answer.text().contains("<ListBucketResult") {
            return Err(S3Error::incomplete(&self.what(&asked), "a ListBucketResult"));
        }
        let mut keys: Vec<Key> = between(&answer.body, "<Key>", "</Key>")
            .filter_map(|full| location.within(full))
            .filter(|key| key.within(folder).is_some() && after.is_none_or(|after| key > after))
            .collect();
        keys.sort();
        keys.truncate(MAX_LISTED);
        Ok(keys)
    }

    fn delete(&self, key: &Key) -> Result<(), BucketError> {
        let asked = Asked::of(Method::DELETE, key);
        let answer = self.ask(&asked)?;
        if answer.is_success() || Self::said(&asked, &answer) == Said::NoObject {
            return Ok(());
        }
        Err(self.failed(&asked, &answer))
    }
}

/// One gzip stream. It costs a fraction of a millisecond a hundred kilobytes: a batch waits for it.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::with_capacity(bytes.len() / 2), Compression::fast());
    // A vector takes everything.
    let _ = packer.write_all(bytes);
    packer.finish().unwrap_or_default()
}

/// The entity tag, as it came: the service compares it as it is.
fn version(answer: &Response) -> Option<Version> {
    let tag = answer.header("etag").filter(|tag| (1..=MAX_VERSION).contains(&tag.len()))?;
    Some(Version(tag.to_owned()))
}

impl fmt::Debug for S3Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Bucket({})", self.place())
    }
}
