//! A request that is asked once: what it changes must not be changed again by a repetition.

use crate::http_client::{Connections, HttpClient, HttpError, Response, run};
use http::{Method, Request, Uri};
use stele_explain::secrets::without_secrets;

impl HttpClient {
    /// A request with these headers and no others of its caller, whose answer's body has at most `limit` bytes. It is asked once, whatever
    /// becomes of its connection, and through no proxy: for a service that this program's operator names, and whose answers nothing on the way may
    /// keep or change.
    pub fn send(
        &self,
        method: &Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        limit: u64,
    ) -> Result<Response, HttpError> {
        let bad = |reason: String| HttpError::BadUrl { url: without_secrets(url).into_owned(), reason };
        let uri: Uri = url.parse().map_err(|e: http::uri::InvalidUri| bad(e.to_string()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(bad("neither http nor https".into()));
        }
        let agent = self.agent(uri.scheme_str() == Some("https"))?;
        let mut request = Request::builder().method(method.clone()).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let left = self.time_left(url)?;
        let sent = if *method == Method::PUT || *method == Method::POST {
            run(agent, request.body(body).map_err(|e| bad(e.to_string()))?, None, left, Connections::KeptOrNew)
        } else {
            run(agent, request.body(()).map_err(|e| bad(e.to_string()))?, None, left, Connections::KeptOrNew)
        };
        let mut answer = sent.map_err(|e| self.error(url, e))?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.body_mut().with_config().limit(limit).read_to_vec().map_err(|e| self.error(url, e))?;
        Ok(Response { status, headers, body })
    }
}
