//! Whatever is asked: what comes back is what `docs/api.yaml` describes, and the log goes on.

use super::*;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// How many requests are made up.
const REQUESTS: usize = 3000;

/// The statuses of each path and method of the log, each with the codes of its errors; from the description.
fn description() -> BTreeMap<(String, String), BTreeMap<u16, Vec<String>>> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api.yaml")).unwrap();
    let (mut path, mut method, mut found) = (String::new(), String::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("  /").and_then(|rest| rest.strip_suffix(':')) {
            path = format!("/{name}");
        } else if let Some(name) = line.strip_prefix("    ").filter(|rest| !rest.starts_with([' ', '-'])) {
            method = name.trim_end_matches(':').to_uppercase();
        } else if line.trim_start() == "tags: [log]" || line.trim_start() == "tags: [log, witness]" {
            found.insert((path.clone(), method.clone()), BTreeMap::new());
        } else if let Some(row) = line.trim_start().strip_prefix('"')
            && let Some(statuses) = found.get_mut(&(path.clone(), method.clone()))
            && let Some(Ok(status)) = row.get(..3).map(str::parse)
        {
            statuses.insert(status, row.split('`').skip(1).step_by(2).map(str::to_owned).collect());
        }
    }
    found
}

/// Numbers that look random and are the same in every run (Vigna, SplitMix64).
struct Made(u64);

impl Made {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.next() as u8).collect()
    }

    /// A value in a path or a query: one that is meant, one that is nearly, or anything.
    fn value(&mut self, meant: &[&str]) -> String {
        const ODD: &[&str] = &[
            "",
            "0",
            "05",
            "-1",
            "+1",
            "1e3",
            "18446744073709551615",
            "18446744073709551616",
            "%00",
            "%ff%fe",
            "..%2f..",
            "%",
            "%zz",
            "a%20b",
            "\u{e4}",
            "acme.example/tiny@1.0.2%23base",
            "ACME.example",
            "x/000.p/5",
            "000.p/0",
            "000.p/256",
            "x001/000",
            "entries",
        ];
        match self.below(4) {
            0 => self.one(ODD).to_owned(),
            1 => self.bytes(40).iter().map(|byte| format!("%{byte:02x}")).collect(),
            2 => {
                let value = self.one(meant);
                let cut = self.below(value.len() + 1);
                value.get(..cut).unwrap_or(value).to_owned()
            }
            _ => self.one(meant).to_owned(),
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
struct Raw {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Raw {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

fn ask(log: &Running, request: &[u8]) -> Raw {
    let mut stream = TcpStream::connect(log.url.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    // Where the server has answered before it has all, the rest may not be wanted any more.
    let _ = stream.write_all(request);
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or_else(|| panic!("{bytes:?}"));
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned())).unwrap();
    Raw { status, headers: lines.map(pair).collect(), body: bytes[end + 4..].to_vec() }
}

#[test]
fn whatever_is_asked_the_answer_is_one_that_is_described() {
    let described = description();
    assert!(described.len() >= 24 && described.values().all(|statuses| !statuses.is_empty()), "{described:?}");
    let home = tempfile::tempdir().unwrap();
    let log = Running::start(home.path(), policy("quorum none\n"), |_| {});
    log.wait_for(200);
    log.proven(&claim("acme.example", 1));
    let (signed, manifest) = release("acme.example", 1, "base", 1);
    assert_eq!(log.release(&signed, manifest.bytes()).status, 200);
    let (digest, weights) = (manifest.digest().to_string(), manifest.weights_digest().to_string());
    let other = claim("other.example", 2);
    let bodies = [
        Vec::new(),
        signed.bytes().to_vec(),
        other.bytes().to_vec(),
        stele_spec::submission::encode(signed.bytes(), manifest.bytes()),
        vec![0xd2; 70_000],
    ];

    let mut made = Made(1);
    let mut seen = BTreeMap::<(String, u16), usize>::new();
    for number in 0..REQUESTS {
        let paths: Vec<&(String, String)> = described.keys().collect();
        let (template, usual) = made.one(&paths);
        let mut path = template.clone();
        for (name, meant) in [
            ("{index}", &["0", "1", "3", "4", "5"][..]),
            ("{digest}", &[digest.as_str(), weights.as_str()]),
            ("{rest}", &["000.p/5", "000", "0/000.p/5", "1/000", "entries/000.p/5"]),
            ("{kind}", &["name", "about", "under", "digest"]),
            ("{kid}", &["2kXvHYyeAFX_unnZkvXnp0dn_kMDGhEDkLSPPCn6dO0"]),
        ] {
            path = path.replace(name, &made.value(meant));
        }
        for _ in 0..made.below(3) {
            let key = made.one(&["name", "hex", "size", "q", "from", "x"]);
            let meant =
                ["acme.example", "acme.example/tiny@1.0.2%23base", weights.as_str(), "5", "pkg:huggingface/acme/tiny"];
            let sign = if path.contains('?') { '&' } else { '?' };
            path = format!("{path}{sign}{key}={}", made.value(&meant));
        }
        let method = match made.below(6) {
            0 => made.one(&["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]),
            _ => usual.as_str(),
        };
        let mut body = match made.below(8) {
            _ if method == "GET" || method == "HEAD" => Vec::new(),
            0 => made.bytes(300),
            which => bodies[which % bodies.len()].clone(),
        };
        if made.below(3) == 0 && !body.is_empty() {
            let at = made.below(body.len());
            body[at] ^= 1 << made.below(8);
        }
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: log.example\r\nconnection: close\r\n");
        for (name, values) in [
            (
                "accept",
                &[
                    "application/json",
                    "text/plain",
                    "text/html",
                    "*/*",
                    "application/cose;q=0.1",
                    "application/cbor",
                    "\u{7f}",
                    "",
                ][..],
            ),
            ("content-type", &["application/cose", "application/cbor-seq", "application/json", "x", ""]),
            ("accept-encoding", &["gzip", "identity", "br, zstd"]),
            ("range", &["bytes=0-1", "bytes=5-", "bytes=-1", "bytes=9-1", "lines=1-2"]),
            ("if-none-match", &["*", "\"x\""]),
        ] {
            if made.below(3) == 0 {
                request += &format!("{name}: {}\r\n", made.one(values).replace('\u{7f}', "~"));
            }
        }
        if !body.is_empty() || method == "POST" {
            request += &format!("content-length: {}\r\n", body.len());
        }
        let request = [request.as_bytes(), b"\r\n", &body].concat();
        let answer = ask(&log, &request);
        let shown = || format!("request {number}: {method} {path}: {answer:?}");

        // Bytes outside the grammar of an address end before any route is found.
        if !path.is_ascii() && answer.status == 400 {
            continue;
        }
        *seen.entry((template.clone(), answer.status)).or_default() += 1;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{}", shown());
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{}", shown());
        if method == "HEAD" {
            assert!(answer.body.is_empty(), "{}", shown());
        } else if let Some(length) = answer.header("content-length") {
            assert_eq!(length, answer.body.len().to_string(), "{}", shown());
        }
        if method == "OPTIONS" {
            assert_eq!(answer.status, 200, "{}", shown());
            continue;
        }
        let asked = if method == "HEAD" { "GET" } else { method };
        // What fills a place in a path may make it another path, or none.
        let statuses = described.get(&(template.clone(), asked.to_owned()));
        let is_filled = template.contains('{');
        let codes = statuses.and_then(|statuses| statuses.get(&answer.status));
        match (answer.status, codes) {
            (405, None) if statuses.is_none() || is_filled => {}
            (404, None) if is_filled => {}
            (status, None) => panic!("{status} is not described: {}", shown()),
            (_, Some(_)) => {}
        }
        if answer.status >= 400
            && method != "HEAD"
            && answer.header("content-type") == Some("application/json")
            && answer.header("content-encoding").is_none()
        {
            let body: serde_json::Value =
                serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("{}", shown()));
            let code = body["error"].as_str().unwrap_or_else(|| panic!("{}", shown()));
            assert!(body["message"].is_string(), "{}", shown());
            if let Some(codes) = codes.filter(|_| method != "POST" || answer.status != 400) {
                assert!(codes.iter().any(|known| known == code), "{code} is not described: {}", shown());
            }
        }
    }
    // It was no test of refusals alone.
    let of = |status: u16| seen.iter().filter(|((_, found), _)| *found == status).count();
    assert!(of(200) >= 20 && of(404) >= 8 && of(400) >= 5, "{seen:?}");
    assert_eq!(log.json("/healthz")["status"], "ok");
    assert_eq!(log.get("/entries/3").body, signed.bytes());
    log.stop();
}
