//! A bucket of a store that speaks S3. Its endpoint, region and credentials come from the variables that everything
//! else takes them from: `AWS_ENDPOINT_URL`, `AWS_REGION`, `AWS_ACCESS_KEY_ID` and so on; without a key, from where a
//! machine of the cloud is told its role.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::client::legacy::{self, Client};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::aws::AmazonS3Builder;
use object_store::client::{
    ClientConfigKey, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::location::Bucket;

const CONNECT: Duration = Duration::from_secs(3);
/// Nothing comes or goes for so long on a connection.
const PROGRESS: Duration = Duration::from_secs(15);
/// Stores close connections without a request after 20 s and more.
const IDLE: Duration = Duration::from_secs(15);
/// Somebody waits: two tries more, within a few seconds, get over a node that restarts and no more than that.
const RETRIES: usize = 2;
const RETRY_WITHIN: Duration = Duration::from_secs(10);

/// Opens a bucket, reached as `variables` say; nothing is asked of it yet.
pub(super) fn open(
    bucket: &Bucket,
    variables: impl Iterator<Item = (String, String)>,
) -> object_store::Result<Arc<dyn ObjectStore>> {
    let retry = RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(1),
            base: 3.0,
        },
        max_retries: RETRIES,
        retry_timeout: RETRY_WITHIN,
    };
    let mut builder = AmazonS3Builder::new();
    for (name, value) in variables.filter(|(name, _)| name.starts_with("AWS_")) {
        // Others are for other programs.
        if let Ok(key) = name.to_ascii_lowercase().parse() {
            builder = builder.with_config(key, value);
        }
    }
    let objects = builder
        .with_bucket_name(&bucket.name)
        .with_retry(retry)
        .with_http_connector(Connector)
        .build()?;
    Ok(match bucket.prefix.as_ref() {
        "" => Arc::new(objects),
        _ => Arc::new(PrefixStore::new(objects, bucket.prefix.clone())),
    })
}

/// Whether the store answered that there is no such bucket, or that we may not use it. That it is busy is no such answer.
pub(super) fn refuses(error: &object_store::Error) -> bool {
    // The library keeps the status to itself, but for the text; a test would notice another one.
    let text = error.to_string();
    let status = text.split_once("status code: ").map(|(_, status)| status);
    status.is_some_and(|status| {
        status.starts_with('4') && !status.starts_with("429") && !status.starts_with("408")
    })
}

/// Connects by the HTTP and TLS that the rest of the server has: what `object_store` would bring has its own.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        let provider = || rustls::crypto::ring::default_provider();
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(provider())
            .or_else(|_| HttpsConnectorBuilder::new().with_provider_and_webpki_roots(provider()))
            .map_err(|error| object_store::Error::Generic {
                store: "S3",
                source: Box::new(error),
            })?;
        let allows_http = options.get_config_value(&ClientConfigKey::AllowHttp);
        let https = match allows_http.as_deref() {
            Some("true") => https.https_or_http(),
            _ => https.https_only(),
        };
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        let mut bounded = TimeoutConnector::new(https.enable_http1().wrap_connector(tcp));
        bounded.set_connect_timeout(Some(CONNECT));
        bounded.set_read_timeout(Some(PROGRESS));
        bounded.set_write_timeout(Some(PROGRESS));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(bounded);
        Ok(HttpClient::new(Service(client)))
    }
}

#[derive(Debug)]
struct Service(Client<TimeoutConnector<HttpsConnector<TcpConnector>>, HttpRequestBody>);

#[async_trait]
impl HttpService for Service {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let response = self.0.request(request).await.map_err(unanswered)?;
        let told = |error: hyper::Error| HttpError::new(kind(&error), error);
        Ok(response.map(|body| HttpResponseBody::new(http_body_util::BodyExt::map_err(body, told))))
    }
}

fn unanswered(error: legacy::Error) -> HttpError {
    if error.is_connect() {
        return HttpError::new(HttpErrorKind::Connect, error);
    }
    let cause = error.source().and_then(|cause| cause.downcast_ref());
    HttpError::new(cause.map_or(HttpErrorKind::Unknown, kind), error)
}

/// By which it is decided whether a request is repeated.
fn kind(error: &hyper::Error) -> HttpErrorKind {
    let io = error
        .source()
        .and_then(|cause| cause.downcast_ref::<std::io::Error>());
    match io {
        Some(io) if io.kind() == std::io::ErrorKind::TimedOut => HttpErrorKind::Timeout,
        Some(_) => HttpErrorKind::Interrupted,
        None if error.is_closed() || error.is_incomplete_message() || error.is_body_write_aborted() => {
            HttpErrorKind::Request
        }
        None => HttpErrorKind::Unknown,
    }
}
