//! AWS Signature Version 4, in the header `Authorization`, over the whole request with its body.

use crate::credentials::Credentials;
use crate::location::Region;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// What all scopes of signatures end with.
const SCOPE: &str = "s3/aws4_request";

/// What is signed of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Signed<'a> {
    /// `GET`, `PUT`...
    pub(crate) method: &'a str,
    /// Percent-encoded, from the slash on.
    pub(crate) path: &'a str,
    /// Percent-encoded pairs in the order of their names, without `?`.
    pub(crate) query: &'a str,
    /// In lower case and in the order of their names. `x-amz-date` and `x-amz-content-sha256` are among them.
    pub(crate) headers: &'a [(&'a str, &'a str)],
    /// SHA-256 of the body, in hex.
    pub(crate) body: &'a str,
    /// The moment, as `x-amz-date` has it.
    pub(crate) at: &'a str,
}

/// SHA-256 in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The value of the header `Authorization`.
pub(crate) fn authorization(credentials: &Credentials, region: &Region, signed: Signed<'_>) -> String {
    let Signed { method, path, query, headers, body, at } = signed;
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let request = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body}");
    let day = at.get(..8).unwrap_or(at);
    let scope = format!("{day}/{region}/{SCOPE}");
    let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{}", sha256(request.as_bytes()));
    let first = format!("AWS4{}", credentials.secret()).into_bytes();
    let parts = [day, &region.to_string(), "s3", "aws4_request"];
    let key = parts.iter().fold(first, |key, part| hmac(&key, part.as_bytes()));
    let signature = hex::encode(hmac(&key, text.as_bytes()));
    let access_key = credentials.access_key();
    format!("AWS4-HMAC-SHA256 Credential={access_key}/{scope},SignedHeaders={names},Signature={signature}")
}

fn hmac(key: &[u8], bytes: &[u8]) -> Vec<u8> {
    // Every length of a key is one: no error is possible, and an empty signature would be refused.
    Hmac::<Sha256>::new_from_slice(key)
        .map(|mac| mac.chain_update(bytes).finalize().into_bytes().to_vec())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    const AT: &str = "20130524T000000Z";

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn sign<'a>(method: &str, path: &str, query: &str, mut headers: Vec<(&'a str, &'a str)>, body: &'a str) -> String {
        let variable = |name| {
            Some(Zeroizing::new(match name {
                "AWS_ACCESS_KEY_ID" => "AKIAIOSFODNN7EXAMPLE".to_owned(),
                "AWS_SECRET_ACCESS_KEY" => "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
                _ => return None,
            }))
        };
        let credentials = Credentials::from_variables(variable).unwrap();
        headers.extend([
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", body),
            ("x-amz-date", AT),
        ]);
        headers.sort_unstable();
        let signed = Signed { method, path, query, headers: &headers, body, at: AT };
        let header = authorization(&credentials, &"us-east-1".parse().unwrap(), signed);
        header.rsplit_once('=').unwrap().1.to_owned()
    }

    /// The four examples of AWS's document "Authenticating Requests: Using the Authorization Header".
    #[test]
    fn the_examples_that_aws_published_are_signed_as_there() {
        assert_eq!(sha256(b""), EMPTY);
        assert_eq!(
            sign("GET", "/test.txt", "", vec![("range", "bytes=0-9")], EMPTY),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        let body = sha256(b"Welcome to Amazon S3.");
        assert_eq!(body, "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
        let headers = vec![("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
        assert_eq!(
            sign("PUT", "/test%24file.text", "", headers, &body),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        assert_eq!(
            sign("GET", "/", "lifecycle=", vec![], EMPTY),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            sign("GET", "/", "max-keys=2&prefix=J", vec![], EMPTY),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }
}
